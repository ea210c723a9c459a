/**
 * The kinds of faults as data: what each does, what it stands for in reality with its source, which operation it strikes, and who offers it.
 *
 * Their parameters: plan.ts. Section numbers are those of the Linux drivers and the specifications as the rooms quote them.
 */
import type { FaultName, Operation } from './plan.ts';

/** Parts of a device that offer faults. A UFS device has `ufs` and, when jobs encrypt, its engine; a null device its keyslots. */
export type Offerer = 'ufs' | 'registers' | 'qcom-ice' | 'prdt' | 'null';

export interface FaultKind {
  /** What happens in the emulation. */
  readonly does: string;
  /** What it stands for. */
  readonly reality: string;
  readonly source: string;
  /** The operation that it strikes as it begins; absent: it strikes at once. */
  readonly strikes?: Operation;
  readonly offeredBy: readonly Offerer[];
}

export const FAULT_KINDS: Readonly<Record<FaultName, FaultKind>> = {
  'keyslot-program-failure': {
    does: 'programming a keyslot fails with EIO: "refused" touches nothing, "torn" leaves half a key in a slot that is switched off; software goes on believing in the old key',
    reality: 'a register write or a firmware call that fails midway',
    source: 'Linux block/blk-crypto-profile.c blk_crypto_get_keyslot (the slot keeps its old key on an error)',
    strikes: 'programs',
    offeredBy: ['registers', 'qcom-ice', 'null'],
  },
  'smc-busy': {
    does: 'the firmware answers busy to the next "tries" tries of a call for a key: blocking calls sleep 30 ms between two tries and give up after 21, atomic ones fail at once with EBUSY',
    reality: 'trusted firmware occupied by another service',
    source: 'Linux drivers/firmware/qcom/qcom_scm-smc.c (QCOM_SCM_V2_EBUSY, QCOM_SCM_EBUSY_MAX_RETRY)',
    strikes: 'programs',
    offeredBy: ['qcom-ice'],
  },
  'smc-failure': {
    does: 'the firmware refuses a call for a key with "result"; the key table is as it was',
    reality: 'firmware that rejects a key or runs out of memory',
    source: 'Linux drivers/firmware/qcom/qcom_scm.h qcom_scm_remap_error',
    strikes: 'programs',
    offeredBy: ['qcom-ice'],
  },
  'smc-wait': {
    does: 'a blocking call for a key sleeps on the firmware’s wait queue for "duration", with the mutex of the secure monitor held',
    reality: 'firmware that queues a call behind another',
    source: 'Linux drivers/firmware/qcom/qcom_scm-smc.c (QCOM_SCM_WAITQ_SLEEP)',
    strikes: 'programs',
    offeredBy: ['qcom-ice'],
  },
  'ice-self-test-hang': {
    does: 'the engine’s self-test never ends: whoever enables or resumes it waits 5 ms and goes on',
    reality: 'a built-in self-test that hangs after a reset or power-on',
    source: 'Linux drivers/soc/qcom/ice.c qcom_ice_wait_bist_status (polled, its result ignored by the UFS host)',
    offeredBy: ['qcom-ice'],
  },
  'keyslot-corruption': {
    does: 'a bit of the key in keyslot "slot" flips; nobody notices, data under it is garbage until the slot is programmed again',
    reality: 'a bit error in the key store, or a stray write of a driver',
    source: 'none needed: what the hardware holds and what software believes differ',
    offeredBy: ['registers', 'qcom-ice'],
  },
  'keys-lost': {
    does: 'all keyslots are empty: now, or with the next time that the link hibernates or the host is runtime suspended; software does not know',
    reality: 'an engine that loses power with its link or rail although its driver takes it for retained',
    source:
      'Linux drivers/ufs/core/ufshcd.c (keys are reprogrammed on host enable only); drivers/soc/qcom/ice.c (not on resume)',
    offeredBy: ['registers', 'qcom-ice'],
  },
  'crypto-engine-error': {
    does: 'an encrypted command fails in the engine: "general" OCS 0xA, "fatal" the same with CEFES (host reset), "configuration" OCS 9, no data moved',
    reality: 'an error of the crypto engine, or a slot that it takes for unusable',
    source: 'JEDEC UFSHCI OCS and IS.CEFES; Linux drivers/ufs/core/ufshcd.c ufshcd_transfer_rsp_status',
    strikes: 'commands',
    offeredBy: ['registers', 'qcom-ice', 'prdt'],
  },
  'host-reset': {
    does: 'host and device are reset: commands go back to the queue, keys are programmed again, then the host is enabled',
    reality: 'an error handler at work; a watchdog; a user writing to a reset file in debugfs',
    source: 'Linux drivers/ufs/core/ufshcd.c ufshcd_host_reset_and_restore',
    offeredBy: ['ufs'],
  },
  'fatal-error': {
    does: 'the controller raises a fatal status bit; the driver resets it',
    reality: 'lost link, device or controller in an error state, bus error, error of the crypto engine',
    source: 'JEDEC UFSHCI IS (ULLS, DFES, UTPES, HCFES, SBFES, CEFES); Linux ufshcd_check_errors',
    offeredBy: ['ufs'],
  },
  'uic-error': {
    does: 'the link layer records an error: "data-link" is read, counted and lived with, "pa-init" leads to a reset',
    reality: 'bit errors on the link, lost synchronisation',
    source: 'JEDEC UFSHCI UECDL; Linux ufshcd_update_uic_error',
    offeredBy: ['ufs'],
  },
  'uic-command-lost': {
    does: 'the next UIC command (hibern8 of clock gating or suspend, start-up and power mode in a reset) is never answered: time-out of 500 ms, then reset',
    reality: 'a link that hangs in a transition',
    source: 'Linux ufshcd_wait_for_uic_cmd, UIC_CMD_TIMEOUT',
    offeredBy: ['ufs'],
  },
  'hibern8-exit-failure': {
    does: 'the next time that the driver takes the link out of hibern8, it is found broken: reset',
    reality: 'a device that does not answer after its sleep',
    source: 'Linux ufshcd_uic_hibern8_exit',
    offeredBy: ['ufs'],
  },
  'link-startup-failure': {
    does: 'the next "times" link start-ups fail; the driver gives up after five host resets, and fails all I/O from then on',
    reality: 'a device that is gone, or power that is not stable',
    source: 'Linux ufshcd_link_startup, MAX_HOST_RESET_RETRIES',
    offeredBy: ['ufs'],
  },
  'command-lost': {
    does: 'the device never answers a read, write, flush or discard: it times out, is queried, aborted and tried again',
    reality: 'a firmware that loses a command',
    source: 'Linux ufshcd_abort, block/blk-mq.c blk_mq_timeout_work',
    strikes: 'commands',
    offeredBy: ['ufs'],
  },
  'command-error': {
    does: 'a command ends with the overall command status "ocs": tried again, up to five times ("aborted": as often as it takes)',
    reality: 'an error between controller and device',
    source: 'JEDEC UFSHCI OCS; Linux ufshcd_transfer_rsp_status',
    strikes: 'commands',
    offeredBy: ['ufs'],
  },
  'task-management-lost': {
    does: 'the next task management request is never answered: the abort that sent it ends in a host reset',
    reality: 'a firmware that hangs',
    source: 'Linux ufshcd_issue_tm_cmd, ufshcd_try_to_abort_task',
    offeredBy: ['ufs'],
  },
  'media-read-error': {
    does: 'a read ends with MEDIUM ERROR: its I/O fails with ENODATA',
    reality: 'data beyond the reach of the flash’s error correction',
    source: 'SPC-5 sense key 3h, additional sense 11h; Linux block/blk-core.c (BLK_STS_MEDIUM)',
    strikes: 'commands',
    offeredBy: ['ufs'],
  },
  'unit-attention': {
    does: 'the next command is refused with UNIT ATTENTION and tried again',
    reality: 'a device that was reset or changed behind the host’s back',
    source: 'JEDEC UFS chapter on unit attention; SPC-5 sense key 6h',
    offeredBy: ['ufs'],
  },
};

export const FAULT_NAMES = Object.keys(FAULT_KINDS) as readonly FaultName[];

/** Names of the faults that a device with these parts offers. */
export function faultsOfferedBy(parts: readonly Offerer[]): FaultName[] {
  return FAULT_NAMES.filter((name) => FAULT_KINDS[name].offeredBy.some((part) => parts.includes(part)));
}
