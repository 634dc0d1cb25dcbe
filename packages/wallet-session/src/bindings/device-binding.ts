export const DEVICE_BINDINGS = ["off", "offer", "require"] as const;
/**
 * Whether browsers are asked to bind their sessions to a device key (DBSC). `require`: one that has registered its key gets no
 * refresh without a proof of it, after two minutes.
 */
export type DeviceBinding = (typeof DEVICE_BINDINGS)[number];
