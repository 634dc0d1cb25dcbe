import { sessions } from "./sessions.server";

export const loader = ({ request }: { request: Request }) => sessions.fetch(request);
export const action = loader;
