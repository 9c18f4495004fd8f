// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Accessibility as far as a program can tell: axe-core in the page, rules of WCAG 2.2 A and AA.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

const source = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** Fails with every violation of the page as it stands. @param {import('playwright-core').Page} page @param {string} screen */
export async function accessible(page, screen) {
  // Not as a script element: the page's policy forbids that.
  await page.evaluate(`if (!window.axe) { ${source} }`);
  const found = await page.evaluate(async (runOnly) => {
    const { violations } = await window.axe.run(document, { runOnly, resultTypes: ['violations'] });
    return violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' ')).join(', ')}`);
  }, tags);
  assert.deepEqual(found, [], `${screen}: accessibility`);
}
