import { guard } from "../../sessions";
import { endOtherSessions } from "./actions";

export default async function AccountPage() {
  const { actorId } = await guard.require("/account");
  return (
    <>
      <h1>{actorId}</h1>
      <form action={endOtherSessions}>
        <button type="submit">Sign out everywhere else</button>
      </form>
    </>
  );
}
