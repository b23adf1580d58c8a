using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace RunbookServer.Commands;

/// <summary>The examples that end each command's help. They can be typed as they are.</summary>
internal static class CommandExamples
{
    private const string Id = "261126-0312-k7m2p9wd";

    private static readonly Dictionary<string, string[]> s_examples = new(StringComparer.Ordinal)
    {
        ["runbook"] = ["runbook", "runbook fire hanged-gpu", "runbook incidents"],
        ["serve"] =
        [
            "runbook serve --port 8080 --data ~/runbooks-data",
            "runbook serve --no-practice --config settings.json --runbooks ./runbooks",
            "runbook serve --no-practice --storage azure --runbooks https://ACCOUNT.blob.core.windows.net/runbooks",
        ],
        ["sandbox"] = ["runbook sandbox --port 7072"],
        ["fire"] =
        [
            "runbook fire",
            "runbook fire hanged-gpu",
            "runbook fire hanged-gpu --reset",
            "runbook fire alert.json --source alertmanager",
        ],
        ["incidents"] =
        [
            "runbook incidents",
            "runbook incidents --state awaitingApproval",
            "runbook incidents --state needsPerson",
            "runbook incidents --limit 100 --json",
        ],
        ["show"] = [$"runbook show {Id}", $"runbook show {Id} --json"],
        ["report"] = [$"runbook report {Id}", $"runbook report {Id} --out incident.md"],
        ["approve"] = [$"runbook approve {Id}", $"runbook approve {Id} --yes --reason \"seen it before\""],
        ["reject"] = [$"runbook reject {Id} --reason \"planned maintenance\""],
        ["take-over"] = [$"runbook take-over {Id} --reason \"I am on it\""],
        ["done"] =
        [
            $"runbook done {Id}",
            $"runbook done {Id} --item 1 --item 3",
            $"runbook done {Id} --all --reason \"slot 4 is a new card\"",
        ],
        ["could-not"] = [$"runbook could-not {Id} --reason \"no spare card in this region\""],
        ["stop"] = [$"runbook stop {Id} --reason \"wrong alarm\""],
        ["close"] = [$"runbook close {Id} --reason \"replaced the card\""],
        ["acknowledge"] = [$"runbook acknowledge {Id} --reason \"looking at it\""],
        ["retry"] = [$"runbook retry {Id} --reason \"the cluster is back\""],
        ["take-back"] = [$"runbook take-back {Id} --reason \"no longer needed\""],
        ["note"] = [$"runbook note {Id} \"opened a ticket with the vendor\""],
        ["start"] = ["runbook start hanged-gpu --label cluster=b --label namespace=inference --label pod=llm-b-0"],
        ["new"] = ["runbook new cache-full", "runbook new cache-full --from self-healing --title \"Cache full\" --owner ml-platform"],
        ["validate"] =
        [
            "runbook validate",
            "runbook validate runbooks/hanged-gpu.yaml --strict",
            "runbook validate --format sarif > runbooks.sarif",
        ],
        ["oncall"] = ["runbook oncall --config settings.json", "runbook oncall --runbooks ./runbooks --json"],
        ["test"] = ["runbook test", "runbook test runbooks/hanged-gpu.yaml --format junit > tests.xml"],
        ["simulate"] =
        [
            "runbook simulate hanged-gpu --alert hanged-gpu",
            "runbook simulate hanged-gpu --alert hanged-gpu --finding gpu-memory=failing:97.2",
            "runbook simulate hanged-gpu --alert hanged-gpu --live --config settings.json",
        ],
        ["export"] = [$"runbook export {Id}", $"runbook export {Id} --out runbooks/tests/hanged-gpu/that-night/test.yaml"],
        ["backtest"] =
        [
            "runbook backtest --since 30d",
            "runbook backtest --since 30d --save incidents",
            "runbook backtest --incidents incidents --base main/runbooks --format markdown",
        ],
        ["publish"] =
        [
            "runbook publish runbooks --to https://ACCOUNT.blob.core.windows.net/runbooks --dry-run",
            "runbook publish runbooks --to https://ACCOUNT.blob.core.windows.net/runbooks --strict",
            "runbook publish --to https://ACCOUNT.blob.core.windows.net/runbooks --list",
            "runbook publish --to https://ACCOUNT.blob.core.windows.net/runbooks --roll-back --reason \"asks the wrong people\"",
        ],
        ["render"] = ["runbook render hanged-gpu"],
        ["schema"] = ["runbook schema > runbook.schema.json", "runbook schema test"],
        ["verify-audit"] = ["runbook verify-audit record.jsonl"],
        ["completion"] =
        [
            "source <(runbook completion bash)",
            "runbook completion zsh > \"${fpath[1]}/_runbook\"",
            "runbook completion fish > ~/.config/fish/completions/runbook.fish",
            "runbook completion pwsh >> $PROFILE",
        ],
    };

    public static IReadOnlyCollection<string> Commands => s_examples.Keys;

    public static IReadOnlyList<string> Of(Command command) =>
        s_examples.GetValueOrDefault(command is RootCommand ? "runbook" : command.Name) ?? [];

    /// <summary>Whether the caller asks for help: then no other argument is missing.</summary>
    public static bool AreAskedFor(ParseResult parsed) =>
        parsed.GetResult(parsed.RootCommandResult.Command.Options.OfType<HelpOption>().Single()) is not null;

    public static void AddTo(RootCommand root)
    {
        var help = root.Options.OfType<HelpOption>().Single();
        help.Action = new WithExamples((SynchronousCommandLineAction)help.Action!);
    }

    private sealed class WithExamples(SynchronousCommandLineAction help) : SynchronousCommandLineAction
    {
        public override bool Terminating => help.Terminating;

        public override int Invoke(ParseResult parseResult)
        {
            var code = help.Invoke(parseResult);
            ConsoleOutput.Raw("Examples:");
            foreach (var example in Of(parseResult.CommandResult.Command))
            {
                ConsoleOutput.Raw($"  {example}");
            }

            return code;
        }
    }
}
