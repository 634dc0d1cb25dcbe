import { guard } from "../../sessions";

export default async function AccountPage() {
  const { actorId } = await guard.require("/account");
  return <h1>{actorId}</h1>;
}
