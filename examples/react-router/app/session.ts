import { createSessionClient } from "wallet-session/client";

export const session = createSessionClient();
