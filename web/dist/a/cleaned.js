var e=RegExp(`[\\p{Cc}\\p{Cf}\\p{Co}\\p{Cs}\\p{Zl}\\p{Zp}�ᅟᅠㅤﾠ]`,`u`),t=/[\u200c\u200d]/g,n=n=>!e.test(n.replace(t,``));function r(e){if(typeof e!=`string`||e.length>1024)return;let t=e.normalize(`NFC`).replace(/\p{Zs}+/gu,` `).replace(/^ | $/g,``);return/[\p{L}\p{N}\p{S}]/u.test(t)&&n(t)&&[...t].length<=64?t:void 0}function i(e){if(typeof e!=`string`||e.length>8e3)return;let t=e.replaceAll(`\r
`,`
`).normalize(`NFC`).trim();return t&&n(t.replaceAll(`
`,``))&&[...t].length<=500?t:void 0}export{r as cleanName,i as cleanText};