import type { Problem } from '../../../errors.ts';
import type { Source } from '../../source.ts';
import { checkAmounts } from './amounts.ts';
import { checkBoxes } from './boxes.ts';
import { checkDependencies } from './dependencies.ts';
import { checkHooks } from './hooks.ts';
import { checkNetworks } from './networks.ts';
import { checkPorts } from './ports.ts';
import { checkPrimary } from './primary.ts';
import { checkProvision } from './provision.ts';
import { checkReplicaNames } from './replicas.ts';
import { checkStorage } from './storage.ts';
import { checkSubnets } from './subnets.ts';

type Rule = (source: Source) => readonly Problem[];

/** What the schema cannot say, because it takes several values, or arithmetic. */
const RULES: readonly Rule[] = [
  checkBoxes,
  checkAmounts,
  checkPorts,
  checkNetworks,
  checkSubnets,
  checkStorage,
  checkReplicaNames,
  checkDependencies,
  checkProvision,
  checkPrimary,
  checkHooks,
];

export function checkRules(source: Source): Problem[] {
  return RULES.flatMap((rule) => rule(source));
}
