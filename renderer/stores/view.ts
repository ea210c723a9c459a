/** Where the user is: screen, experiment, run, part of the results; and the theme. Kept small: everything else is data. */
import { defineStore } from 'pinia';
import { computed, ref, watchEffect } from 'vue';

export type Screen = 'editor' | 'run' | 'results';
export type ThemeChoice = 'system' | 'light' | 'dark';

const THEME_KEY = 'blklab.theme';

function storedTheme(): ThemeChoice {
  const stored = localStorage.getItem(THEME_KEY);
  return stored === 'light' || stored === 'dark' ? stored : 'system';
}

export const useView = defineStore('view', () => {
  const screen = ref<Screen>('editor');
  const resultsPart = ref<'overview' | 'requests' | 'keyslots'>('overview');
  const isKeysOpen = ref(false);
  const isAboutOpen = ref(false);

  const theme = ref<ThemeChoice>(storedTheme());
  const darkSystem = matchMedia('(prefers-color-scheme: dark)');
  const isSystemDark = ref(darkSystem.matches);
  darkSystem.addEventListener('change', ({ matches }) => {
    isSystemDark.value = matches;
  });
  const shownTheme = computed(() => (theme.value === 'system' ? (isSystemDark.value ? 'dark' : 'light') : theme.value));
  watchEffect(
    () => {
      const { dataset } = document.documentElement;
      if (theme.value === 'system') delete dataset['theme'];
      else dataset['theme'] = theme.value;
      localStorage.setItem(THEME_KEY, theme.value);
    },
    { flush: 'sync' },
  );

  return { screen, resultsPart, isKeysOpen, isAboutOpen, theme, shownTheme };
});
