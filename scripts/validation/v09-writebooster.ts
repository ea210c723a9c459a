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
    const row = (
      what: string,
      published: number,
      ours: number,
      share: number,
      basis: TargetRow['basis'],
    ): TargetRow => ({
      what,
      source: SOURCE,
      unit: what.startsWith('ratio') ? '' : 'MiB/s',
      published,
      ours,
      band: { kind: 'relative', share },
      basis,
    });
    return [
      row('ratio on : off', ON_MIBPS / OFF_MIBPS, on / off, 0.2, 'predicted'),
      row('on', ON_MIBPS, on, 0.2, 'predicted'),
      row('off', OFF_MIBPS, off, 0.2, 'predicted'),
      { ...row('after exhaustion, against our own off', off, afterMiBps, 0.1, 'predicted'), source: 'V9 itself' },
    ];
  },
};
