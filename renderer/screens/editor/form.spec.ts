import { mount } from '@vue/test-utils';
import { createPinia, setActivePinia } from 'pinia';
import { beforeEach, describe, expect, it } from 'vitest';
import { jsonSchema } from '../../../core/experiment/definition.ts';
import { fakeMain, settle, type FakeMain } from '../../testing/fake-main.ts';
import { useEditor } from '../../stores/editor.ts';
import { echoOf, factsOf, sectionsFor, valueOfText } from './fields.ts';
import DeviceForm from './DeviceForm.vue';
import FormField from './FormField.vue';
import { lineOfPointer } from './json-lines.ts';
import { marksOf } from './marks.ts';

const schema = jsonSchema();

describe('fields', () => {
  it.each(['4k', '4KiB', '4096', '0x1000', 4096])('echo %s as 4 096 B', (text) => {
    expect(echoOf('bytes', text)).toBe('= 4\u2009096 B');
  });
  it('echo 2ms and 2000us as the same time, and nothing while it is none', () => {
    expect(echoOf('time', '2ms')).toBe(echoOf('time', '2000us'));
    expect(echoOf('time', '2m')).toBe('');
  });
  it.each(['ufs', 'null'])('of a %s device are all known to the published schema', (kind) => {
    for (const { path } of sectionsFor(kind).flatMap(({ fields }) => fields)) {
      const { description, defaultValue, choices, max } = factsOf(schema, path, kind);
      expect(description !== '' || defaultValue !== undefined || choices.length > 0 || max !== undefined, path).toBe(
        true,
      );
    }
  });
  it('keep what is typed as it is, and make numbers of whole numbers only', () => {
    expect(valueOfText('count', '32')).toBe(32);
    expect(valueOfText('count', '32x')).toBe('32x');
    expect(valueOfText('bytes', '4k')).toBe('4k');
    expect(valueOfText('time', ' ')).toBeUndefined();
  });
});

describe('marks', () => {
  it('show the worst of a line and all that is said of it', () => {
    const marks = marksOf([
      { severity: 'warning', path: '/workload/fio', line: 3, code: 'a', message: 'ignored' },
      { severity: 'error', path: '/workload/fio', line: 3, code: 'b', message: 'unknown' },
      { severity: 'error', path: '/workload/fio', line: 3, file: 'other.fio', code: 'c', message: 'elsewhere' },
    ]);
    expect([...marks]).toEqual([[3, { severity: 'error', message: 'ignored\nunknown' }]]);
  });
  it('find the line of a pointer in JSON text', () => {
    const text = JSON.stringify({ name: 'kind', device: { kind: 'ufs', host: { lanes: 3 } }, kind: 1 }, null, 2);
    expect(lineOfPointer(text, '/device/host/lanes')).toBe(6);
    expect(lineOfPointer(text, '/device/missing')).toBe(3);
    expect(lineOfPointer(text, '/nothing')).toBeUndefined();
  });
});

describe('a field of the form', () => {
  let main: FakeMain;

  beforeEach(async () => {
    setActivePinia(createPinia());
    main = fakeMain({
      'definition/schema': () => ({ schema }),
      'definition/validate': () => ({
        problems: [{ severity: 'error', path: '/device/queueDepth', code: 'range', message: 'must be 1 to 256' }],
      }),
    });
    const editor = useEditor();
    await editor.loadSchema();
    await editor.show(null, { device: { kind: 'ufs' } });
  });

  it('says nothing at the first keystroke, and what is wrong when it is left', async () => {
    const field = mount(FormField, { props: { spec: { path: '/device/queueDepth', kind: 'count' } } });
    field.get('input').element.value = '-1';
    await field.get('input').trigger('input');
    expect(main.calls.map(({ method }) => method)).not.toContain('definition/validate');
    expect(field.get('input').attributes('aria-invalid')).toBe('false');
    await field.get('input').trigger('change');
    await settle();
    expect(field.get('input').attributes('aria-invalid')).toBe('true');
    expect(field.get('[data-test="problem-note"]').text()).toContain('must be 1 to 256');
  });

  it('offers the default again only when it was changed', async () => {
    const field = mount(FormField, { props: { spec: { path: '/device/capacity', kind: 'bytes' } } });
    expect(field.find('.reset').exists()).toBe(false);
    await field.get('input').setValue('128GiB');
    expect(field.get('.echo').text()).toBe('= 128 GiB');
    await field.get('.reset').trigger('click');
    expect(useEditor().get('/device/capacity')).toBeUndefined();
    expect(field.get('input').attributes('placeholder')).toBe('64GiB');
  });

  it('offers the choices of the schema, the default first', () => {
    const field = mount(FormField, { props: { spec: { path: '/queue/scheduler', kind: 'choice' } } });
    expect(field.findAll('option').map((option) => option.text())).toEqual([
      'default (none)',
      'none',
      'mq-deadline',
      'kyber',
    ]);
  });
});

describe('a part of the form', () => {
  beforeEach(async () => {
    setActivePinia(createPinia());
    fakeMain({ 'definition/schema': () => ({ schema }), 'definition/validate': () => ({ problems: [] }) });
    const editor = useEditor();
    await editor.loadSchema();
    await editor.show(null, { device: { kind: 'ufs' }, encryption: { jobs: { app: { keys: 2 } } } });
  });

  it('shows its fields where it is there, and comes back as it was', async () => {
    const form = mount(DeviceForm);
    const editor = useEditor();
    const keyslots = '[data-path="/device/crypto/keyslots"]';
    expect(form.find(keyslots).exists()).toBe(false);
    await form.get('[data-test="part-of-crypto"]').trigger('change');
    expect(editor.get('/device/crypto')).toEqual({});
    await form.get(keyslots).setValue('4');
    await form.get('[data-test="part-of-crypto"]').trigger('change');
    expect(editor.get('/device')).toEqual({ kind: 'ufs' });
    await form.get('[data-test="part-of-crypto"]').trigger('change');
    expect(editor.get('/device/crypto')).toEqual({ keyslots: 4 });
  });

  it('leaves the entries of single jobs alone', async () => {
    const form = mount(DeviceForm);
    await form.get('[data-test="part-of-encryption"]').trigger('change');
    await form.get('[data-path="/encryption/jobs/*/keyPer"]').setValue('file');
    expect(useEditor().get('/encryption/jobs')).toEqual({ app: { keys: 2 }, '*': { keyPer: 'file' } });
  });
});
