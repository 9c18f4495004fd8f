// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { defineConfig, type Plugin } from 'vite';
import { thirdParty } from './dev/thirdparty.ts';

// A lazy chunk is named after the folder of its entry: a/room.js, a/host.js, a/call.js.
function chunkName(facade: string | null | undefined): string | undefined {
  return facade?.match(/\/src\/(\w+)\/entry\.tsx?$/)?.[1];
}

// Vite wraps every late import into a helper that fetches styles and scripts ahead. There is one style sheet, and nothing is
// fetched ahead: what is left of the helper is the import itself.
const plainImports: Plugin = {
  name: 'plain-imports',
  enforce: 'pre',
  load: (id) => (id.endsWith('vite/preload-helper.js') ? 'export const __vitePreload = (load) => load();' : null),
};

// Stable file names, no inline script or style, no preload polyfill: what leaves here is served under a strict CSP
// and committed, so the same sources must give the same bytes on every machine.
export default defineConfig({
  base: './',
  publicDir: false,
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  plugins: [plainImports, thirdParty()],
  worker: {
    format: 'es',
    rolldownOptions: { output: { entryFileNames: 'a/[name].js', chunkFileNames: 'a/[name].js' } },
  },
  build: {
    target: 'es2022',
    sourcemap: false,
    reportCompressedSize: false,
    chunkSizeWarningLimit: 700,
    assetsInlineLimit: 0,
    cssCodeSplit: false,
    modulePreload: false,
    rolldownOptions: {
      input: { app: 'index.html' },
      output: {
        entryFileNames: 'a/[name].js',
        chunkFileNames: (chunk) => `a/${chunkName(chunk.facadeModuleId) ?? chunk.name}.js`,
        assetFileNames: 'a/[name][extname]',
      },
    },
  },
});
