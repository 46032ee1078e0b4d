/** The audio of the protocol: what the page, its worklets and the server agree on (docs/protocol.md). */

export const VOICE_HZ = 24_000;
export const SAMPLES_PER_MS = VOICE_HZ / 1000;
/** Of one frame of the microphone, and of one report of what was played. */
export const FRAME_MS = 20;
export const FRAME_SAMPLES = FRAME_MS * SAMPLES_PER_MS;
/** Before the PCM16 of a binary message. */
export const HEADER_BYTES = 8;
