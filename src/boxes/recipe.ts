import { join } from 'node:path';
import { readTextIfExists } from '../host/files.ts';
import { kindOfPath, listNames } from '../host/path-kind.ts';
import { parseRecipe, type RecipeText } from './recipe-text.ts';

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
  const recipes = await Promise.all((await listNames(recipesDir)).map((folder) => readRecipe(recipesDir, folder)));
  return recipes.filter((recipe) => recipe !== undefined).sort((a, b) => a.name.localeCompare(b.name));
}

export async function findRecipe(recipesDir: string, name: string): Promise<Recipe | undefined> {
  return (await listRecipes(recipesDir)).find((recipe) => recipe.name === name);
}

async function readRecipe(recipesDir: string, folder: string): Promise<Recipe | undefined> {
  const dir = join(recipesDir, folder);
  const file = join(dir, RECIPE_FILE);
  const text = (await kindOfPath(file)) === 'file' ? await readTextIfExists(file) : undefined;
  return text === undefined ? undefined : { ...parseRecipe(file, text), dir, recipesDir };
}
