/**
 * Orders for the engine, written in the same transaction as the state that wants them. The data a
 * step needs is in the task's state; an order only names the step. Each can be carried out twice.
 *
 *   stage    bring the inputs to the host            pull    have the image on the host
 *   launch   publish the attempt, consume its ticket watch   follow it until its exit record
 *   collect  fetch the outputs                       cancel  end it, until nothing is left
 *   clean    remove what Towline made there           finish run the user's command for its end
 */
export const EFFECT_KINDS = [
  'stage',
  'pull',
  'launch',
  'watch',
  'collect',
  'cancel',
  'clean',
  'finish',
] as const;
export type EffectKind = (typeof EFFECT_KINDS)[number];

export interface Effect {
  kind: EffectKind;
  attempt: number;
}
