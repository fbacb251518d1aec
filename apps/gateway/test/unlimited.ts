/** Configuration of a gateway that holds nobody back: for tests of something else. */
export const UNLIMITED = {
  limits: { perHour: false, modelSpacingMs: false },
  pacing: { egressPerMinute: false, perHour: false, perDay: false },
}
