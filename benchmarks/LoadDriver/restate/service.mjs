// The measured shape on Restate: 4 checks at once, one message, one approval from outside, 2 steps, 1 verification, 1 more step.
// Each is a durable step that touches nothing, as in measured/measured.yaml.
import * as restate from "@restatedev/restate-sdk";

// What the SDK calls and Node has only from version 22 on.
Promise.withResolvers ??= () => {
  const made = {};
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
};

const check = (ctx, name) => ctx.run(name, () => ({ name, verdict: "failing", summary: "Nothing was touched." }));
const step = (ctx, name) => ctx.run(name, () => ({ name, outcome: "done" }));

const story = restate.workflow({
  name: "story",
  handlers: {
    run: async (ctx) => {
      await restate.RestatePromise.all(["first", "second", "third", "fixed"].map((name) => check(ctx, name)));
      await step(ctx, "message");
      await ctx.promise("asked").resolve("asked");
      const decision = await ctx.promise("decision");
      for (const name of ["one", "two", "verify", "ticket"]) {
        await step(ctx, name);
      }
      return { state: "resolved", decision };
    },
    asked: (ctx) => ctx.promise("asked").get(),
    decide: (ctx, decision) => ctx.promise("decision").resolve(decision),
  },
});

restate.serve({ services: [story], port: Number(process.argv[2]) });
