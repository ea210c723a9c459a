import { describe, expect, it } from 'vitest';
import { EMULATED_ENGINES, ENGINE_OPTIONS, OTHER_ENGINES } from './options-engine.ts';
import { enginesOf, findEngineOption, findOption, GENERAL_OPTIONS } from './options.ts';
import { DEFAULT_SETTINGS } from './settings.ts';

/** The options that blk-mq-and-formats 2.5.3 says a simulator should honour. */
const TO_HONOUR =
  `rw rwmixread rwmixwrite bs bsrange bssplit ba bs_unaligned bs_is_seq_rand size io_size filesize offset offset_align
offset_increment number_ios nrfiles openfiles file_service_type iodepth iodepth_batch_submit iodepth_batch_complete_min
iodepth_batch_complete_max iodepth_low numjobs thread group_reporting new_group stonewall wait_for startdelay runtime time_based ramp_time
loops thinktime thinktime_spin thinktime_blocks thinktime_blocks_type thinktime_iotime rate rate_min rate_iops rate_iops_min rate_process
rate_cycle rate_ignore_thinktime latency_target latency_window latency_percentile latency_run max_latency random_distribution
percentage_random norandommap random_generator randrepeat allrandrepeat randseed fsync fdatasync end_fsync fsync_on_close
write_barrier sync_file_range direct buffered sync atomic ioengine prio prioclass verify do_verify verify_backlog zonemode zonesize
zonerange zoneskip unified_rw_reporting percentile_list clat_percentiles lat_percentiles slat_percentiles serialize_overlap
io_submit_mode flow flow_id`.split(/\s+/);

/** Those of its rows that cannot be carried out, and why. */
const EXPLAINED =
  'softrandommap invalidate read_iolog replay_no_stall replay_scale write_iolog log_avg_msec log_offset fill_device overwrite fallocate create_serialize'.split(
    ' ',
  );

describe('the option table', () => {
  it('names every option and alias once', () => {
    const names = GENERAL_OPTIONS.flatMap(({ name, alias }) => (alias === undefined ? [name] : [name, alias]));
    expect(new Set(names).size).toBe(names.length);
  });

  it('honours the options of 2.5.3', () => {
    const others = TO_HONOUR.filter((name) => (findOption(name)?.effect ?? 'honour') !== 'honour');
    expect(others.filter((name) => findOption(name) !== undefined)).toEqual([]);
    expect(TO_HONOUR.filter((name) => findOption(name) === undefined)).toEqual([]);
  });

  it('explains every option that it ignores or refuses', () => {
    for (const name of EXPLAINED) expect(findOption(name)?.note).toBeTypeOf('string');
    const unexplained = [...GENERAL_OPTIONS, ...ENGINE_OPTIONS].filter(
      ({ effect, note }) => effect !== undefined && effect !== 'honour' && note === undefined,
    );
    expect(unexplained).toEqual([]);
  });

  it('has defaults that its own readers accept', () => {
    const withDefault = GENERAL_OPTIONS.filter((spec) => spec.default !== undefined);
    expect(DEFAULT_SETTINGS.map(({ spec }) => spec.name)).toEqual(withDefault.map(({ name }) => name));
  });

  it('finds engine options by engine, also where two engines share a name', () => {
    expect(findEngineOption('proto', 'net')?.name).toBe('protocol');
    expect(findEngineOption('proto', 'rdma')?.name).toBe('verb');
    expect(findEngineOption('userspace_reap', 'io_uring')).toBeUndefined();
    expect(enginesOf('userspace_reap')).toEqual(['libaio']);
  });

  it('counts no engine as both emulated and not', () => {
    expect(Object.keys(EMULATED_ENGINES).filter((name) => OTHER_ENGINES.includes(name))).toEqual([]);
  });
});
