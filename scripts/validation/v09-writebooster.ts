/**
 * V9: WriteBooster. 1 MiB sequential writes at queue depth 32 on a UFS host in HS-G4 with two lanes: 1,568 MiB/s with it, 556 MiB/s without
 * (FreeBSD review D51893, 2025). Then a run larger than the buffer: after exhaustion the rate must fall to that without.
 */
import { runDefinition, rates, type Target, type TargetRow } from './target.ts';

const SOURCE = 'FreeBSD D51893';
const ON_MIBPS = 1568;
const OFF_MIBPS = 556;
const MIB = 1024 ** 2;

function writes(slc: Readonly<Record<string, unknown>>, sizeMiB: number): number {
  const summary = runDefinition({
    format: 1,
    name: 'V9',
    device: {
      kind: 'ufs',
      capacity: '64GiB',
      host: { generation: 'ufs-3.1', gear: 'HS-G4', lanes: 2 },
      media: { profile: 'ufs-3.1-tlc', overrides: { slc } },
    },
    workload: {
      fio: `[write]\nioengine=libaio\ndirect=1\nrw=write\nbs=1m\niodepth=32\nsize=${sizeMiB}m\nfilename=/dev/ufs0\n`,
    },
    run: { detail: 'summary' },
  });
  return rates(summary, 'write').bytesPerS / MIB;
}

export const writeBooster: Target = {
  id: 'V9',
  title: 'WriteBooster on and off, 1 MiB writes at QD 32',
  rows: () => {
    const on = writes({}, 2048);
    const off = writes({ enabled: false }, 1024);
    const smallBytes = 256 * MIB;
    const part = writes({ sizeBytes: smallBytes, migrate: 'exhausted' }, 256);
    const whole = writes({ sizeBytes: smallBytes, migrate: 'exhausted' }, 2304);
    const afterMiBps = 2048 / (2304 / whole - 256 / part);
    const row = (what: string, unit: string, published: number, ours: number, band: TargetRow['band']): TargetRow => ({
      what,
      source: SOURCE,
      unit,
      published,
      ours,
      band,
      basis: 'predicted',
    });
    return [
      row('ratio on : off', '', ON_MIBPS / OFF_MIBPS, on / off, { kind: 'relative', share: 0.2 }),
      row('on (their part, not our profile)', 'MiB/s', ON_MIBPS, on, { kind: 'context' }),
      row('off (their part, not our profile)', 'MiB/s', OFF_MIBPS, off, { kind: 'context' }),
      {
        ...row('after exhaustion, against our own off', 'MiB/s', off, afterMiBps, { kind: 'relative', share: 0.1 }),
        source: 'V9 itself',
      },
    ];
  },
};
