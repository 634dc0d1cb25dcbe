/** 16 bytes in base64url: the last character has two bits of them. */
export const SESSION_ID = /^[A-Za-z0-9_-]{21}[AQgw]$/;
