/**
 * V10: the vendor's table of devices (Samsung, reprinted 2019/2020; UFS 4.0 2022): sequential and random rates of five generations at saturation.
 *
 * Random: four jobs of queue depth 8, 4 KiB, over 4 GiB. Sequential: one job of queue depth 32, 512 KiB. The machine is `phone-a76`. Which rows the profiles
 * were calibrated on is said in core/media/profiles: firmware times on the random rates, bus rates on the sequential reads, the SLC program time of UFS 4.0 and eMMC and the
 * supply budget of UFS 2.1 on their sequential writes. Those rows are inputs; the writes of UFS 3.0 and 3.1 follow from NAND timing alone.
 */
import { measure } from '../../core/media/harness.ts';
import { mediaProfile } from '../../core/media/profiles/index.ts';
import { rates, runDefinition, type Target, type TargetRow } from './target.ts';

interface Device {
  readonly name: string;
  readonly profile: string;
  readonly generation: 'ufs-2.1' | 'ufs-3.0' | 'ufs-3.1' | 'ufs-4.0';
  readonly seqReadMBps: number;
  readonly seqWriteMBps: number;
  readonly seqWriteBasis: TargetRow['basis'];
  /** undefined: not published. */
  readonly randReadIops: number | undefined;
  readonly randWriteIops: number | undefined;
}

/** @source peers-and-calibration.md C.1 */
const DEVICES: readonly Device[] = [
  {
    name: 'UFS 2.1 1 TB',
    profile: 'ufs-2.1-tlc',
    generation: 'ufs-2.1',
    seqReadMBps: 1000,
    seqWriteMBps: 260,
    seqWriteBasis: 'input',
    randReadIops: 58_000,
    randWriteIops: 50_000,
  },
  {
    name: 'UFS 3.0',
    profile: 'ufs-3.0-tlc',
    generation: 'ufs-3.0',
    seqReadMBps: 2100,
    seqWriteMBps: 410,
    seqWriteBasis: 'predicted',
    randReadIops: 63_000,
    randWriteIops: 68_000,
  },
  {
    name: 'UFS 3.1',
    profile: 'ufs-3.1-tlc',
    generation: 'ufs-3.1',
    seqReadMBps: 2100,
    seqWriteMBps: 1200,
    seqWriteBasis: 'predicted',
    randReadIops: 100_000,
    randWriteIops: 70_000,
  },
  {
    name: 'UFS 4.0',
    profile: 'ufs-4.0-tlc',
    generation: 'ufs-4.0',
    seqReadMBps: 4200,
    seqWriteMBps: 2800,
    seqWriteBasis: 'input',
    randReadIops: undefined,
    randWriteIops: undefined,
  },
];

const SOURCE = 'Samsung tables';
const BAND = { kind: 'relative', share: 0.15 } as const;

function definition(device: Device, fio: string): unknown {
  return {
    format: 1,
    name: `V10 ${device.name}`,
    machine: { profile: 'phone-a76' },
    device: {
      kind: 'ufs',
      capacity: '64GiB',
      host: { generation: device.generation },
      media: { profile: device.profile },
    },
    workload: { fio },
    run: { detail: 'summary' },
  };
}

function sequential(device: Device, direction: 'read' | 'write', depth: number): number {
  const fio = `[seq]\nioengine=libaio\ndirect=1\nrw=${direction}\nbs=512k\niodepth=${depth}\nsize=2g\nfilename=/dev/ufs0\n`;
  return rates(runDefinition(definition(device, fio)), direction).bytesPerS / 1e6;
}

function random(device: Device, direction: 'read' | 'write', jobs: number, depth: number): number {
  const fio = `[rand]\nioengine=libaio\ndirect=1\nrw=rand${direction}\nbs=4k\niodepth=${depth}\nnumjobs=${jobs}\nsize=4g\nfilename=/dev/ufs0\nnumber_ios=${30_000 / jobs}\n`;
  return rates(runDefinition(definition(device, fio)), direction).iops;
}

function ufsRows(device: Device): TargetRow[] {
  const rows: TargetRow[] = [];
  const add = (what: string, unit: string, published: number, ours: number, basis: TargetRow['basis']): void => {
    rows.push({ what: `${device.name} ${what}`, source: SOURCE, unit, published, ours, band: BAND, basis });
  };
  const seqRead = sequential(device, 'read', 32);
  add('sequential read', 'MB/s', device.seqReadMBps, seqRead, 'input');
  add('sequential write', 'MB/s', device.seqWriteMBps, sequential(device, 'write', 32), device.seqWriteBasis);
  const randRead = random(device, 'read', 4, 8);
  if (device.randReadIops !== undefined) add('random read', 'IOPS', device.randReadIops, randRead, 'input');
  if (device.randWriteIops !== undefined) {
    add('random write', 'IOPS', device.randWriteIops, random(device, 'write', 4, 8), 'input');
  }
  rows.push({
    what: `${device.name} random read QD 1 below QD 32`,
    source: 'V10',
    unit: 'IOPS',
    published: randRead,
    ours: random(device, 'read', 1, 1),
    band: { kind: 'below' },
    basis: 'predicted',
  });
  return rows;
}

/** HS400: 400 MB/s raw at 93.5 %, one direction at a time, 1.1 us per command and response. @source peers-and-calibration.md C.4 */
const HS400 = { bytesPerS: 374_000_000, isHalfDuplex: true, commandNs: 1_100 };

/** The eMMC profile behind its bus alone: there is no eMMC host to run it under yet. */
function emmcRows(): TargetRow[] {
  const profile = mediaProfile('emmc-5.1-tlc');
  if (profile === undefined) throw new Error('there is no eMMC profile');
  const load = { queueDepth: 32, capacityBytes: 64 * 1024 ** 3, spanBytes: 4 * 1024 ** 3 };
  const seq = (op: 'read' | 'write') =>
    measure(profile, HS400, { ...load, op, pattern: 'sequential', blockBytes: 524_288, commands: 2000 }).bytesPerS /
    1e6;
  const rand = (op: 'read' | 'write') =>
    measure(profile, HS400, { ...load, op, pattern: 'random', blockBytes: 4096, commands: 20_000 }).iops;
  const row = (what: string, unit: string, published: number, ours: number, basis: TargetRow['basis']): TargetRow => ({
    what: `eMMC 5.1 ${what} (flash and bus alone)`,
    source: SOURCE,
    unit,
    published,
    ours,
    band: BAND,
    basis,
  });
  return [
    row('sequential read', 'MB/s', 250, seq('read'), 'input'),
    row('sequential write', 'MB/s', 125, seq('write'), 'input'),
    row('random read', 'IOPS', 11_000, rand('read'), 'input'),
    row('random write', 'IOPS', 13_000, rand('write'), 'input'),
  ];
}

export const devices: Target = {
  id: 'V10',
  title: 'Vendor table of five device generations at QD 32',
  rows: () => [...emmcRows(), ...DEVICES.flatMap(ufsRows)],
};
