// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// The icons that only later chunks need.

import type { Shape } from './icons';

export const micIcon: Shape = [
  'M12 3.5a2.8 2.8 0 0 0-2.8 2.8v5.2a2.8 2.8 0 0 0 5.6 0V6.3A2.8 2.8 0 0 0 12 3.5Z',
  'M6 11.5a6 6 0 0 0 12 0',
  'M12 17.5v3',
];

export const micOffIcon: Shape = [
  'M9.2 9.6v1.9a2.8 2.8 0 0 0 4.7 2.1',
  'M14.8 10.6V6.3a2.8 2.8 0 0 0-5.4-1',
  'M6 11.5a6 6 0 0 0 9.6 4.8',
  'M18 11.5c0 .8-.2 1.6-.5 2.3',
  'M12 17.5v3',
  'M4 4l16 16',
];

export const cameraIcon: Shape = [
  'M3.5 8.5a2 2 0 0 1 2-2h7a2 2 0 0 1 2 2v7a2 2 0 0 1-2 2h-7a2 2 0 0 1-2-2Z',
  'M14.5 11l6-3.2v8.4l-6-3.2',
];

export const cameraOffIcon: Shape = [
  'M10 6.5h2.5a2 2 0 0 1 2 2v2.5l6-3.2v8.4l-3.2-1.7',
  'M14.3 14.8v.7a2 2 0 0 1-2 2h-6.8a2 2 0 0 1-2-2v-7a2 2 0 0 1 1.9-2',
  'M4 4l16 16',
];

export const screenIcon: Shape = [
  'M3.5 6.5a1.5 1.5 0 0 1 1.5-1.5h14a1.5 1.5 0 0 1 1.5 1.5v8.5a1.5 1.5 0 0 1-1.5 1.5H5A1.5 1.5 0 0 1 3.5 15Z',
  'M9 20h6',
  'M12 13.5v-5',
  'M9.5 10.5 12 8l2.5 2.5',
];

export const chatIcon: Shape = [
  'M4 6.5A1.5 1.5 0 0 1 5.5 5h13A1.5 1.5 0 0 1 20 6.5v8a1.5 1.5 0 0 1-1.5 1.5H11l-4 3.5V16H5.5A1.5 1.5 0 0 1 4 14.5Z',
];

export const peopleIcon: Shape = [
  'M9 11.5a3.2 3.2 0 1 0 0-6.4 3.2 3.2 0 0 0 0 6.4Z',
  'M3.5 19c.4-3 2.6-4.7 5.5-4.7s5.1 1.7 5.5 4.7',
  'M15.5 5.5a3 3 0 0 1 0 5.7',
  'M17 14.6c2 .6 3.2 2.1 3.5 4.4',
];

export const slidersIcon: Shape = ['M4 7.5h9', 'M17 7.5h3', 'M15 5.5v4', 'M4 16.5h3', 'M11 16.5h9', 'M9 14.5v4'];

export const hangupIcon: Shape = [
  'M3.8 13.5c4.6-4.3 11.8-4.3 16.4 0 .6.6.6 1.5 0 2.1l-1.3 1.3c-.5.5-1.3.6-1.9.1l-1.8-1.3c-.5-.4-.7-1-.6-1.6l.2-1c-1.9-.5-3.7-.5-5.6 0l.2 1c.1.6-.1 1.2-.6 1.6L7 17c-.6.5-1.4.4-1.9-.1l-1.3-1.3c-.6-.6-.6-1.5 0-2.1Z',
];

export const lockIcon: Shape = [
  'M6.5 11h11a1 1 0 0 1 1 1v6.5a1 1 0 0 1-1 1h-11a1 1 0 0 1-1-1V12a1 1 0 0 1 1-1Z',
  'M8.5 11V8a3.5 3.5 0 0 1 7 0v3',
];

export const lockCheckIcon: Shape = [...lockIcon, 'M9.4 15.3l1.9 1.9 3.3-3.6'];

export const lockBusyIcon: Shape = [...lockIcon, 'M9.2 15.3v.1', 'M12 15.3v.1', 'M14.8 15.3v.1'];

export const stopIcon: Shape = ['M8.3 3.5h7.4l4.8 4.8v7.4l-4.8 4.8H8.3l-4.8-4.8V8.3Z', 'M12 8v4.8', 'M12 16v.2'];

export const copyIcon: Shape = [
  'M9 9.5a1 1 0 0 1 1-1h8.5a1 1 0 0 1 1 1V18a1 1 0 0 1-1 1H10a1 1 0 0 1-1-1Z',
  'M6 15.5H5.5a1 1 0 0 1-1-1V6a1 1 0 0 1 1-1H14a1 1 0 0 1 1 1v.5',
];

export const checkIcon: Shape = ['M5 12.5l4.5 4.5L19 7.5'];

export const closeIcon: Shape = ['M6 6l12 12', 'M18 6 6 18'];

export const speakerIcon: Shape = [
  'M4 10v4h3.5l4.5 3.5v-11L7.5 10Z',
  'M15.5 9.5a3.6 3.6 0 0 1 0 5',
  'M18 7a7 7 0 0 1 0 10',
];

export const sendIcon: Shape = ['M5 12h13', 'M12.5 6.5 18 12l-5.5 5.5'];

export const pausedIcon: Shape = ['M9 7v10', 'M15 7v10'];

export const doorIcon: Shape = ['M6.5 20V5.5a1 1 0 0 1 1-1h9a1 1 0 0 1 1 1V20', 'M4 20h16', 'M14 12.2v.2'];

export const exitIcon: Shape = [
  'M13.5 5h-7a1 1 0 0 0-1 1v12a1 1 0 0 0 1 1h7',
  'M10.5 12H20',
  'M16.5 8.5 20 12l-3.5 3.5',
];

export const companyIcon: Shape = [
  'M5 20V5.5a1 1 0 0 1 1-1h7a1 1 0 0 1 1 1V20',
  'M3 20h12',
  'M21 12h-7',
  'M17 8.5 13.5 12l3.5 3.5',
];

export const aloneIcon: Shape = [
  'M12 11.5a3.2 3.2 0 1 0 0-6.4 3.2 3.2 0 0 0 0 6.4Z',
  'M6 19c.5-3 2.9-4.7 6-4.7s5.5 1.7 6 4.7',
];

export const calendarIcon: Shape = [
  'M5 6.5h14a1 1 0 0 1 1 1v11a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1v-11a1 1 0 0 1 1-1Z',
  'M4 10.5h16',
  'M8 4v4',
  'M16 4v4',
];
