/**
 * Device management of a UFS device: flags, attributes and descriptors behind QUERY units.
 *
 * Modelled: fDeviceInit (reads 0 once initialisation is over), power mode and reference clock attributes, queue depth in the device descriptor. An unknown identifier
 * is answered with "invalid IDN". Not modelled: other descriptors and the RPMB.
 *
 * @source UFS 3.1 chapter 14
 */
import type { UfsConfig } from './config.ts';
import {
  QUERY_CLEAR_FLAG,
  QUERY_INVALID_IDN,
  QUERY_INVALID_OPCODE,
  QUERY_OK,
  QUERY_READ_ATTRIBUTE,
  QUERY_READ_DESCRIPTOR,
  QUERY_READ_FLAG,
  QUERY_SET_FLAG,
  QUERY_WRITE_ATTRIBUTE,
} from './upiu.ts';

// Flags, attributes and descriptors by identifier. @source UFS 3.1 tables 14.26, 14.28
export const FLAG_DEVICE_INIT = 0x01;
export const FLAG_WRITE_BOOSTER_EN = 0x0e;
export const ATTR_POWER_MODE = 0x02;
export const ATTR_MAX_RTT = 0x08;
export const ATTR_REF_CLK = 0x0a;
export const DESCRIPTOR_DEVICE = 0x00;

export class DeviceManagement {
  /** Answer of the last query. */
  response = QUERY_OK;
  value = 0;
  private readonly config: UfsConfig;
  private readonly flags = new Map<number, number>();
  private readonly attributes = new Map<number, number>();
  private initDoneNs = 0;

  constructor(config: UfsConfig) {
    this.config = config;
    this.reset();
  }

  reset(): void {
    this.flags.clear();
    this.flags.set(FLAG_DEVICE_INIT, 0).set(FLAG_WRITE_BOOSTER_EN, 0);
    this.attributes.clear();
    this.attributes.set(ATTR_POWER_MODE, 0x11).set(ATTR_MAX_RTT, 2).set(ATTR_REF_CLK, 1); // @source UFS 3.1 14.3 defaults: active, 2 RTTs, 26 MHz
  }

  /** Carries out one query; `response` and `value` hold the answer. */
  query(opcode: number, idn: number, value: number, nowNs: number): void {
    this.response = QUERY_OK;
    this.value = 0;
    if (opcode === QUERY_READ_FLAG) this.value = this.readFlag(idn, nowNs);
    else if (opcode === QUERY_SET_FLAG) this.setFlag(idn, nowNs);
    else if (opcode === QUERY_CLEAR_FLAG) this.store(this.flags, idn, 0);
    else if (opcode === QUERY_READ_ATTRIBUTE) this.value = this.load(this.attributes, idn);
    else if (opcode === QUERY_WRITE_ATTRIBUTE) this.store(this.attributes, idn, value);
    else if (opcode === QUERY_READ_DESCRIPTOR) this.readDescriptor(idn);
    else this.response = QUERY_INVALID_OPCODE;
  }

  private readFlag(idn: number, nowNs: number): number {
    if (idn === FLAG_DEVICE_INIT && nowNs >= this.initDoneNs) this.flags.set(idn, 0);
    return this.load(this.flags, idn);
  }

  private setFlag(idn: number, nowNs: number): void {
    this.store(this.flags, idn, 1);
    if (idn === FLAG_DEVICE_INIT) this.initDoneNs = nowNs + this.config.timing.deviceInitNs;
  }

  /** The part of the device descriptor that sizes queues: bQueueDepth. */
  private readDescriptor(idn: number): void {
    if (idn !== DESCRIPTOR_DEVICE) this.response = QUERY_INVALID_IDN;
    else this.value = this.config.mcqQueues > 0 ? this.config.mcqDepth + 1 : this.config.nutrs;
  }

  private load(table: Map<number, number>, idn: number): number {
    const value = table.get(idn);
    if (value === undefined) this.response = QUERY_INVALID_IDN;
    return value ?? 0;
  }

  private store(table: Map<number, number>, idn: number, value: number): void {
    if (table.has(idn)) table.set(idn, value);
    else this.response = QUERY_INVALID_IDN;
  }
}
