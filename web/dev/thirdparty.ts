// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin } from 'vite';

interface Manifest {
  name: string;
  version: string;
  license?: string;
  dependencies?: Record<string, string>;
}

// thirdParty emits THIRD_PARTY.txt: name, version, licence and licence text of every package in the production tree.
// A package without a licence text of its own is listed with its declared licence; one without either fails the build.
export function thirdParty(): Plugin {
  return {
    name: 'third-party-notices',
    apply: 'build',
    generateBundle() {
      this.emitFile({ type: 'asset', fileName: 'THIRD_PARTY.txt', source: notices(process.cwd()) });
    },
  };
}

export function notices(root: string): string {
  const found = new Map<string, string>();
  const own = manifest(root);
  for (const name of Object.keys(own.dependencies ?? {})) collect(root, root, name, found);
  const parts = [...found.keys()].sort().map((key) => found.get(key));
  return `Third-party software in this user interface\n\n${parts.join('\n')}`;
}

function collect(root: string, from: string, name: string, found: Map<string, string>): void {
  const dir = resolve(root, from, name);
  const m = manifest(dir);
  const key = `${m.name} ${m.version}`;
  if (found.has(key)) return;
  const text = licenceText(dir);
  if (!text && !m.license) throw new Error(`${key} names no licence`);
  found.set(key, `${'='.repeat(78)}\n${key}\nLicence: ${m.license ?? 'see text'}\n\n${text}`);
  for (const dep of Object.keys(m.dependencies ?? {})) collect(root, dir, dep, found);
}

function resolve(root: string, from: string, name: string): string {
  const nested = join(from, 'node_modules', name);
  return existsSync(nested) ? nested : join(root, 'node_modules', name);
}

function manifest(dir: string): Manifest {
  return JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8'));
}

function licenceText(dir: string): string {
  const file = readdirSync(dir)
    .sort()
    .find((f) => /^(licen[cs]e|copying)/i.test(f));
  return file ? `${readFileSync(join(dir, file), 'utf8').replaceAll('\r\n', '\n').trim()}\n` : '';
}
