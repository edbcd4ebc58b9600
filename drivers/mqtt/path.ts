/** Places in JSON documents are the contract's: serial devices speak JSON too. */
export { compilePath, type Lookup, parsePath, type Step } from '../../src/contract/json-path.ts';
