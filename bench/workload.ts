/**
 * What the benchmarks simulate: 4 KiB random reads at queue depth 32 on the default UFS 3.1 phone (machine profile `phone-a76`, no scheduler, clock gating on), plain or
 * with inline encryption by keys in registers.
 */
import type { ValidExperiment } from '../core/experiment/definition.ts';
import { validateDefinition } from '../core/experiment/validate.ts';

export const WORKLOAD = '4 KiB random reads, QD 32, libaio, UFS 3.1 (HS-G4 × 2, 31 tags), phone-a76';

export type Detail = 'summary' | 'requests';

export interface RunShape {
  readonly requests: number;
  readonly detail: Detail;
  readonly encrypts?: boolean;
}

const ENGINE = { engine: 'registers', keyslots: 32 };

/** The definition of a run. Offsets are drawn without a map, so that the n-th draw costs the same as the first. */
export function definitionOf({ requests, detail, encrypts = false }: RunShape): unknown {
  return {
    format: 1,
    name: `bench ${requests}`,
    machine: { profile: 'phone-a76' },
    device: { kind: 'ufs', capacity: '64GiB', ...(encrypts && { crypto: ENGINE }) },
    ...(encrypts && { encryption: { jobs: { '*': { keyPer: 'file' } } } }),
    workload: {
      fio: `[read]\nioengine=libaio\ndirect=1\nrw=randread\nbs=4k\nsize=60g\nnorandommap\niodepth=32\nnumber_ios=${requests}\n`,
    },
    run: { detail },
  };
}

export function experimentOf(shape: RunShape): ValidExperiment {
  const { experiment, problems } = validateDefinition(definitionOf(shape));
  if (experiment === undefined) throw new Error(problems.map((p) => p.message).join('; '));
  return experiment;
}
