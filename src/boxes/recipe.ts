import { join } from 'node:path';
import { readTextIfExists } from '../host/files.ts';
import { kindOfPath, listNames } from '../host/path-kind.ts';
import { parseRecipe, type RecipeText } from './recipe-text.ts';
import type { YamlSource } from './yaml-fields.ts';

/** How a box is made: a folder with recipe.yaml, a customise script, and files. */
export interface Recipe extends RecipeText {
  readonly dir: string;
  /** What every recipe shares: guest/ (files for the guest) and build/ (scripts that run on the host). */
  readonly recipesDir: string;
}

const RECIPE_FILE = 'recipe.yaml';

/**
 * All recipes, by name.
 * @throws MachinefileError for one with mistakes.
 */
export async function listRecipes(recipesDir: string): Promise<Recipe[]> {
  const sources = await readSources(recipesDir);
  const recipes = [...sources.keys()].map((folder) => recipeIn(recipesDir, folder, sources));
  return recipes.filter((recipe) => recipe !== undefined).sort((a, b) => a.name.localeCompare(b.name));
}

/** Looks first into the folder that is called as the box: to parse all recipes takes longer than most commands. */
export async function findRecipe(recipesDir: string, name: string): Promise<Recipe | undefined> {
  const recipe = recipeIn(recipesDir, name.replaceAll('/', '-'), await readSources(recipesDir));
  if (recipe?.name === name) return recipe;
  return (await listRecipes(recipesDir)).find((other) => other.name === name);
}

function recipeIn(recipesDir: string, folder: string, sources: ReadonlyMap<string, YamlSource>): Recipe | undefined {
  const source = sources.get(folder);
  return source && { ...parseRecipe(source, sources), dir: join(recipesDir, folder), recipesDir };
}

/** By folder. */
async function readSources(recipesDir: string): Promise<Map<string, YamlSource>> {
  const sources = new Map<string, YamlSource>();
  for (const folder of await listNames(recipesDir)) {
    const file = join(recipesDir, folder, RECIPE_FILE);
    const yaml = (await kindOfPath(file)) === 'file' ? await readTextIfExists(file) : undefined;
    if (yaml !== undefined) sources.set(folder, { file, yaml });
  }
  return sources;
}
