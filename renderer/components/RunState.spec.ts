import { mount } from '@vue/test-utils';
import { describe, expect, it } from 'vitest';
import RunState from './RunState.vue';

describe('the state of a run', () => {
  it('is said in words, with a shape', () => {
    expect(mount(RunState, { props: { status: 'deadlock' } }).text()).toMatch(/⊘\s+deadlock/);
    expect(mount(RunState, { props: { status: 'running', isWaiting: true } }).text()).toMatch(/⋯\s+waiting/);
  });
  it('is “stopping…” from the moment somebody stops it, whatever else it was', () => {
    const props = { status: 'running', isWaiting: true, isStopping: true } as const;
    expect(mount(RunState, { props }).text()).toContain('stopping…');
  });
});
