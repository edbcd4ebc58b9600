/** What an AMD loader hands to a module that asks for `module`. */
declare module 'amd-module' {
  /** The address it was loaded from. */
  export const uri: string | undefined;
}
