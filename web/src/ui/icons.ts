// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Line icons on a 24 by 24 grid; each is a list of paths. One constant each, so that a chunk carries only its own.

export type Shape = readonly string[];

export const phoneIcon: Shape = [
  'M6.5 4.5h2.6l1.5 4-1.9 1.4a11 11 0 0 0 5.4 5.4l1.4-1.9 4 1.5v2.6a2 2 0 0 1-2.2 2A15.3 15.3 0 0 1 4.5 6.7a2 2 0 0 1 2-2.2Z',
];

export const alertIcon: Shape = ['M12 4.5 21 19.5H3Z', 'M12 10v4.5', 'M12 17v.2'];

export const videoIcon: Shape = [
  'M3.5 8.5a2 2 0 0 1 2-2h7a2 2 0 0 1 2 2v7a2 2 0 0 1-2 2h-7a2 2 0 0 1-2-2Z',
  'M14.5 11l6-3.2v8.4l-6-3.2',
];
