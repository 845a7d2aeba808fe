/**
 * Limits in tests say when to give up, nothing else. They are written for a machine that does nothing else; one that is
 * shared may take several times as long for the same, and gets so much more.
 */
export const PATIENCE = 4;
