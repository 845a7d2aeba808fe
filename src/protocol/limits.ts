/** Every bound of the door, with the unit in the name. */

export const BODY_BYTES_MAX = 16 * 1024 * 1024;
export const UPLOAD_BYTES_MAX = 16 * 1024 * 1024 * 1024;
/** Of all bodies that are held in memory at one time. */
export const BODIES_BYTES_MAX = 16 * BODY_BYTES_MAX;
export const HEADERS_BYTES_MAX = 16 * 1024;
export const CONNECTIONS_MAX = 4000;
export const REQUESTS_MAX = 2000;
/** Followers of output and events, and sessions inside tasks. */
export const STREAMS_MAX = 500;
export const SUBMIT_TASKS_MAX = 10_000;
/** Inline content goes into the database; what is larger is a file. */
export const INLINE_BYTES_MAX = 1024 * 1024;
export const NAME_CHARS_MAX = 200;
export const PATH_BYTES_MAX = 4096;
export const IMAGES_MAX = 16;
export const IMAGE_CHARS_MAX = 1024;
export const ARGV_WORDS_MAX = 4096;
/** Linux refuses a single word of 128 KiB; the name and a prefix must fit too. */
export const WORD_BYTES_MAX = 120_000;
export const COMMAND_TEXT_BYTES_MAX = 1024 * 1024;
export const ENV_NAMES_MAX = 1024;
export const ENV_NAME_CHARS_MAX = 256;
export const INPUTS_MAX = 10_000;
export const OUTPUTS_MAX = 1000;
export const BINDS_MAX = 100;
/** Commands of one task after the first. */
export const STEPS_MAX = 63;
export const TAGS_MAX = 64;
export const TAG_VALUE_CHARS_MAX = 256;
export const RUNTIME_ARGS_MAX = 256;
export const NODES_MAX = 65_536;
export const SBATCH_ARGS_MAX = 64;
export const RETRIES_MAX = 100;
export const AFTER_MAX = 1000;
export const GPUS_MAX = 64;
export const PRIORITY_ABS_MAX = 1000;
export const TIME_LIMIT_MS_MAX = 365 * 24 * 3600 * 1000;
export const IDEMPOTENCY_KEY_CHARS_MAX = 200;
export const WAIT_SECONDS_MAX = 3600;
export const LIST_LIMIT_MAX = 1000;
export const LIST_LIMIT_DEFAULT = 100;
export const REMOVALS_DEFAULT = 1000;
export const REMOVALS_MAX = 10_000;

/** Of a login conversation. */
export const ANSWER_CHARS_MAX = 4096;
export const ANSWERS_MAX = 32;
