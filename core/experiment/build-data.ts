/**
 * The bytes of a data run (`run.data` = "verify"): the memory of the I/Os, the medium, the ciphers of engine and fallback; and what the summary says of them.
 *
 * Nothing here takes virtual time or draws from a random stream: a run with data has the trace hash of the same run without.
 */
import type { Block } from '../block/block.ts';
import { BufferPool, RequestBytes } from '../block/buffers.ts';
import { KeyedCiphers } from '../crypto/modes/keyed-ciphers.ts';
import type { CryptoPorts } from '../crypto/ports.ts';
import type { Engine } from '../engine/engine.ts';
import type { Machine } from '../engine/machine.ts';
import { Medium } from '../media/medium.ts';
import { formatBytes } from '../units/format.ts';
import type { DataConfig } from '../workload/data/check.ts';
import type { Workload } from '../workload/workload.ts';
import type { ValidExperiment } from './definition.ts';

export class DataRoom {
  readonly buffers = new BufferPool();
  readonly host: RequestBytes;
  readonly medium: Medium;
  /** Of the device's engine. */
  readonly ciphers: KeyedCiphers;
  readonly ports: CryptoPorts;
  /** The run ended because the medium would have grown beyond its limit. */
  isFull = false;

  constructor(
    { engine, machine }: { readonly engine: Engine; readonly machine: Machine },
    block: Block,
    { device, run }: ValidExperiment,
    ports: CryptoPorts,
  ) {
    this.host = new RequestBytes(block, this.buffers);
    this.medium = new Medium(device.capacity, run.dataLimit);
    this.ciphers = new KeyedCiphers(ports);
    this.ports = ports;
    this.medium.onFull = () => {
      this.isFull = true;
      const limit = formatBytes(run.dataLimit);
      machine.violate('data-limit', `the data run would need more than ${limit} of medium (run.dataLimit)`);
      engine.halt();
    };
  }

  /** What the workload needs to write and check bytes. `inlineKey`: the raw key behind a hardware-wrapped one. */
  forWorkload({ seed, device }: ValidExperiment, inlineKey: DataConfig['inlineKey']): DataConfig {
    return { buffers: this.buffers, ports: this.ports, seed, blockBytes: device.logicalBlockSize, inlineKey };
  }

  /** Connects what a device knows of faults with what the workload makes of it. */
  attach(workload: Workload): void {
    this.host.onWrongKey = (io) => workload.data?.metWrongKey(io);
  }

  /** Law 3: buffers that nobody gave back. */
  checkEmpty(): readonly string[] {
    return this.buffers.inUse === 0 ? [] : [`data: ${this.buffers.inUse} buffers are in use`];
  }

  /** The `data` part of the summary. */
  counters({ data }: Workload): Readonly<Record<string, number>> {
    return { ...data?.counts, mediumBytes: this.medium.usedBytes };
  }
}
