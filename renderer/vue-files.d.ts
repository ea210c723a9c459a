/** What a `.vue` import is to tools that read only TypeScript (vue-tsc knows better). */
declare module '*.vue' {
  import type { DefineComponent } from 'vue';
  const component: DefineComponent;
  export default component;
}
