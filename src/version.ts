/** The version of this Towline, as in package.json. */
export const VERSION = '0.1.0';
