/**
 * The faults of a UFS device, by the hooks of its host, its driver and its engine. Which of them a device has is said in kinds.ts; validation refuses the others.
 *
 * A torn programming of Qualcomm's engine is a firmware that has emptied the slot when it fails (`@assume`; the slot is idle meanwhile, so that it makes no difference when).
 */
import { OP_READ, OP_WRITE } from '../block/types.ts';
import type { Ufs } from '../hosts/ufs/build.ts';
import * as d from '../hosts/ufs/descriptors.ts';
import * as r from '../hosts/ufs/registers.ts';
import { FAULT_LOST, FAULT_MEDIUM } from '../hosts/ufs/slots.ts';
import type { Ufshcd } from '../hosts/ufs/ufshcd.ts';
import type { Ice } from '../ice/ice.ts';
import * as scm from '../ice/scm.ts';
import type { CommandError, FatalCause, Fault, Operation, SmcResult } from './plan.ts';
import type { FaultPort } from './port.ts';

const FATAL_BITS: Readonly<Record<FatalCause, number>> = {
  'link-lost': r.IS_ULLS,
  device: r.IS_DFES,
  utp: r.IS_UTPES,
  'host-controller': r.IS_HCFES,
  'system-bus': r.IS_SBFES,
  'crypto-engine': r.IS_CEFES,
};

const OCS_CODES: Readonly<Record<CommandError, number>> = {
  'invalid-command-table': d.OCS_INVALID_ATTRIBUTE,
  'invalid-prdt': d.OCS_INVALID_PRDT,
  'data-size-mismatch': d.OCS_SIZE_MISMATCH,
  'response-size-mismatch': d.OCS_RESPONSE_SIZE,
  'peer-communication-failure': d.OCS_PEER_FAILURE,
  aborted: d.OCS_ABORTED,
  'fatal-error': d.OCS_FATAL,
  'device-fatal-error': d.OCS_DEVICE_FATAL,
};

const SMC_ANSWERS: Readonly<Record<SmcResult, number>> = {
  error: scm.SCM_ERROR,
  'invalid-argument': scm.SCM_BAD_ARGUMENT,
  'not-supported': scm.SCM_NOT_SUPPORTED,
  'no-memory': scm.SCM_NO_MEMORY,
};

/** Bits of UECDL. @source JEDEC UFSHCI, UECDL: NAC received; PA_INIT */
const UECDL_NAC = 1;
const UECDL_PA_INIT = 1 << 13;
const NONE = -1;

export class UfsFaults implements FaultPort {
  private readonly ufs: Ufs;
  private readonly driver: Ufshcd;
  private readonly ice: Ice | undefined;

  constructor(ufs: Ufs, ice: Ice | undefined) {
    this.ufs = ufs;
    this.driver = ufs.lld;
    this.ice = ice;
  }

  listen(operation: Operation, kind: number): void {
    if (operation === 'commands') this.driver.onCommand = kind;
    else if (this.ufs.profile !== undefined) this.ufs.profile.hardware.onProgram = kind;
  }

  strike(fault: Fault, target: number): boolean {
    return this.strikeKeys(fault, target) ?? this.strikeCommand(fault, target) ?? this.strikeHost(fault);
  }

  /** Undefined: not one of these. */
  private strikeKeys(fault: Fault, slot: number): boolean | undefined {
    const { crypto } = this.driver.hci;
    switch (fault.fault) {
      case 'keyslot-program-failure':
        this.failProgramming(fault.how, slot);
        return true;
      case 'smc-busy':
        this.ice?.monitor.injectBusy(fault.tries);
        return true;
      case 'smc-failure':
        this.ice?.monitor.injectAnswer(SMC_ANSWERS[fault.result]);
        return true;
      case 'smc-wait':
        this.ice?.monitor.injectWait(fault.durationNs);
        return true;
      case 'ice-self-test-hang':
        this.ice?.engine.hangSelfTest();
        return true;
      case 'keyslot-corruption':
        crypto.corrupt(fault.slot);
        return true;
      case 'keys-lost':
        if (fault.when === 'now') crypto.loseKeys('fault');
        else crypto.loseNextOn.push(fault.when);
        return true;
      default:
        return undefined;
    }
  }

  private failProgramming(how: 'refused' | 'torn', slot: number): void {
    const { ice } = this;
    if (ice === undefined) {
      this.driver.crypto?.keyslots?.failNext.push(how);
      return;
    }
    if (how === 'torn') ice.engine.clearKey(ice.engine.entryOf(slot));
    ice.monitor.injectAnswer(scm.SCM_ERROR);
  }

  /** Faults of the command that is about to go into `slot`. */
  private strikeCommand(fault: Fault, slot: number): boolean | undefined {
    const { slots } = this.driver.hci;
    switch (fault.fault) {
      case 'command-lost':
        slots.fault[slot] = FAULT_LOST;
        return true;
      case 'command-error':
        slots.fault[slot] = OCS_CODES[fault.ocs];
        return true;
      case 'media-read-error': {
        const isRead = this.opOf(slot) === OP_READ;
        if (isRead) slots.fault[slot] = FAULT_MEDIUM;
        return isRead;
      }
      case 'crypto-engine-error':
        return this.isEncrypted(slot) && this.failEngine(fault.how);
      default:
        return undefined;
    }
  }

  private opOf(slot: number): number {
    return this.driver.block.requests.op[this.driver.requestOf[slot]];
  }

  private isEncrypted(slot: number): boolean {
    const op = this.opOf(slot);
    return (op === OP_READ || op === OP_WRITE) && this.driver.block.requests.keyId[this.driver.requestOf[slot]] >= 0;
  }

  /** The command is rung next, and the engine takes it up with that. */
  private failEngine(how: 'general' | 'fatal' | 'configuration'): boolean {
    const { crypto } = this.driver.hci;
    if (how === 'configuration' && crypto.settings.engine !== 'prdt') crypto.refuseNext++;
    else {
      crypto.failsFatally = how === 'fatal';
      crypto.failNext++;
    }
    return true;
  }

  private strikeHost(fault: Fault): boolean {
    const { hci } = this.driver;
    switch (fault.fault) {
      case 'host-reset':
        this.ufs.reset(NONE);
        return true;
      case 'fatal-error':
        hci.injectError(FATAL_BITS[fault.cause]);
        return true;
      case 'uic-error':
        hci.injectError(r.IS_UE, fault.error === 'pa-init' ? UECDL_PA_INIT : UECDL_NAC);
        return true;
      case 'uic-command-lost':
        hci.uic.loseNext = true;
        return true;
      case 'hibern8-exit-failure':
        hci.uic.breakNextExit = true;
        return true;
      case 'link-startup-failure':
        hci.uic.failStarts += fault.times;
        return true;
      case 'task-management-lost':
        hci.tasks.loseNext++;
        return true;
      case 'unit-attention':
        hci.device.unitAttention = true;
        return true;
      default:
        return false;
    }
  }
}
