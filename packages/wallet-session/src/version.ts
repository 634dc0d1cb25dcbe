/** Of the package: what its package.json says, as a test makes sure. */
export const VERSION = "0.1.0";
