// The name that ws has for its ES module, for those who look for the file.

export { default } from './index.mjs';
export * from './index.mjs';
