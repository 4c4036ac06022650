import type { Box } from '../../boxes/box.ts';
import { lockBuild } from '../../boxes/build.ts';
import { sha256 } from '../../host/files.ts';
import type { BoxRecipe } from '../../machinefile/box-recipe.ts';
import { prepareStep } from '../../provisioners/index.ts';
import { ensureBox } from '../box-sources.ts';
import { NO_NETWORK } from '../networks/project-networks.ts';
import type { Services } from '../services.ts';
import { checkCloudInit } from '../up/cloud-init.ts';
import { upMachine } from '../up/machine.ts';
import { captureBox } from './capture.ts';
import { generalise } from './generalise.ts';
import { disksOf } from './machine-disks.ts';
import { openWorkshop, withWayOn } from './workshop.ts';

/** Raised when the same recipe would make another box, because what is done to it has changed. */
const BUILDER_REVISION = 1;

export interface RecipeBuild {
  readonly recipe: BoxRecipe;
  /** As the user calls it. */
  readonly file: string;
  /** Also where nothing the box is made of has changed: what its steps download may have. */
  readonly force: boolean;
}

/**
 * Makes a box by provisioning a machine on another box, or gives the one that was made from the same inputs.
 * @throws VmError if its base cannot be had, or cannot do what is asked of it; GuestError if a step fails. Nothing is left
 * of the attempt.
 */
export async function buildFromRecipe({ recipe, file, force }: RecipeBuild, services: Services): Promise<Box> {
  const { name, version, machine: spec } = recipe;
  const { boxes } = services;
  const base = await ensureBox(recipe.box, services);
  checkCloudInit(spec, base);
  const fingerprint = await fingerprintOf(recipe, base);
  const building = { fingerprint, name, purpose: `vm box build ${file}` };
  await using _lock = await lockBuild(building, { store: boxes, context: services });
  const existing = force ? undefined : await boxes.findMadeFrom(fingerprint);
  if (existing !== undefined) return existing;
  await using workshop = await openWorkshop(spec, services);
  const { project } = workshop;
  const target = { name: spec.name, projectName: spec.name, spec, box: base, network: NO_NETWORK };
  const options = { provision: { kind: 'missing' }, recreate: false, layers: 'off' } as const;
  await upMachine(project, target, { options, services }).catch((error: unknown) => {
    throw withWayOn(error, `correct ${file} and build it again`);
  });
  await generalise(project, spec.name, base.seed, services);
  const disks = await disksOf(project.states.layout(spec.name), base);
  const { arch, seed, user } = base;
  const facts = { name, version, arch, seed, user, fingerprint, source: `built from the recipe ${file}` };
  // Awaited here: at the end of this function workshop and lock are given up.
  return await captureBox({ disks, parent: base, facts, subject: spec.name }, services);
}

async function fingerprintOf({ name, version, machine }: BoxRecipe, base: Box): Promise<string> {
  const { diskBytes, cloudInit, provision } = machine;
  const steps = await Promise.all(
    provision.map(async (step) => [step.name, step.run, (await prepareStep(step.action)).fingerprint]),
  );
  return sha256(JSON.stringify([BUILDER_REVISION, base.key, name, version, diskBytes ?? null, cloudInit, steps]));
}
