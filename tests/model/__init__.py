"""The once-only protocol, explored exhaustively: `python -m tests.model [--small]`.

One callback, at most two attempts, one daemon, one Asterisk and the link between them. The daemon's decisions are
taken by its own pure functions (`decisions`); the order of its steps, and the dialplan's, is mirrored here action by
action (`daemon`, `pbx`, `faults`), each of which names the code that it stands for.

What is explored: every order of all steps, with every combination of at most so many faults (link cut, daemon killed,
Asterisk killed or restarted, its disk full, its database wiped (with a restart or without) or refusing the manager's
writes, a channel that cannot be hung up, an event lost, an Originate refused). A fault may come between any two steps.

What is left out: a second daemon, more than one PBX, failures of the store (a claim that fails is a claim that was not
made), a clock of the PBX's that is set back (a kind of fault that can be asked for: `CLOCK_BACK`), and a person who
forces a retry.

What makes the exploration small enough, and why it loses nothing:

* Steps that only one side can see are one step. A question to the PBX and its answer are one: before it is answered
  the daemon does nothing with it, and a question that the link's end cut short may still be carried out, which is a
  late revocation here. A late hang-up by id is an agent who hangs up.
* The agent's checks at the answer read together: whatever comes between two of them can as well come after them.
* Events are told at once or never. A late one finds the attempt further on and is absorbed, which is the same as
  never; that every order is absorbed is the state machine's own test.
* One look at the PBX at a time. Looks share nothing but the attempt's state, which each reads when it judges, and
  what each concludes rests on what it asked itself, in its own order.
* Time passes when it matters: the PBX's clock moves only while somebody can still read it.
* An attempt that is over in the store, of which nothing lives and nothing is under way, is forgotten once the next
  one exists: nobody will ever read it again.
* When no fault is left, writes are on disk at once: only a crash could tell the difference.
"""
