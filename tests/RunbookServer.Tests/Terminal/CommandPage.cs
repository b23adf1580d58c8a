using System.CommandLine;
using System.CommandLine.Completions;
using System.CommandLine.Help;
using System.Text;
using RunbookServer.Commands;

namespace RunbookServer.Tests.Terminal;

/// <summary>The page about the command line, made of what the commands say about themselves.</summary>
internal static class CommandPage
{
    private const string Head = """
        # The command line

        Every command of `runbook`, written out of the program: change the command and run `UPDATE_DOCS=1 dotnet test tests/RunbookServer.Tests`. Out of the repository `dotnet run --project src/RunbookServer --` stands for `runbook`.

        Exit codes: 0 done; 1 the command ran and the answer is no (a runbook is invalid, a test failed, somebody else decided first); 2 it could not begin (a misspelt option, one that stands before the command, a taken port, a damaged file), in one sentence with the remedy; 3 the running host could not be reached, refused the key or has a fault of its own (it is then not known whether what was sent was recorded), or what answers there is no host of this program; 130 it was interrupted before it was done (`serve` and `sandbox` run until they are, and end with 0; a host that stops because a part of it broke ends with 1).

        Commands that talk to a host talk to either: for the Functions app `--url` is its address and `--key` one of its [function keys](operations.md), `default` or one with a role.

        With `--format json`, `validate` and `test` write `{ "command", "passed", "cases": [{ "name", "file", "passed", "problems": [{ "severity": "error" | "warning", "file", "line", "column", "key", "problem", "remedy", "code" }] }] }`, a case for each file or test; `code` is there for warnings ([which](warnings.md)). Where `test` found no test, nothing has passed: one case says so, in every format. Keys may be added.

        Completion: `source <(runbook completion bash)`, and the like for zsh, fish and pwsh.

        """;

    public static string Of(RootCommand root)
    {
        var page = new StringBuilder(Head.ReplaceLineEndings("\n"));
        foreach (var command in root.Subcommands)
        {
            var arguments = string.Concat(command.Arguments.Select(argument => argument.Arity.MinimumNumberOfValues == 0 ? $" [{argument.Name}]" : $" {argument.Name.ToUpperInvariant()}"));
            page.Append($"\n## runbook {command.Name}{arguments}\n\n{command.Description}\n\n| takes | |\n|---|---|\n");
            foreach (var argument in command.Arguments)
            {
                page.Append($"| `{argument.Name}` | {Cell(argument.Description, argument.ValueType, argument.GetCompletions(CompletionContext.Empty), argument.HasDefaultValue ? argument.GetDefaultValue() : null)} |\n");
            }

            foreach (var option in command.Options.Where(option => option is not HelpOption))
            {
                // What '--by' is unless given is the name of whoever writes the page, and that is in no page.
                page.Append($"| `{option.Name}`{(option.Required ? ", needed" : "")} | {Cell(option.Description, option.ValueType, option.GetCompletions(CompletionContext.Empty), option.HasDefaultValue && option.Name != "--by" ? option.GetDefaultValue() : null)} |\n");
            }

            page.Append($"\n```sh\n{string.Join('\n', CommandExamples.Of(command))}\n```\n");
        }

        return page.ToString();
    }

    /// <summary>What it says of itself, and what it does not say: the words to choose from, and what holds where it is left out.</summary>
    private static string Cell(string? description, Type type, IEnumerable<CompletionItem> completions, object? usual)
    {
        var text = description ?? "";
        string[] words = type == typeof(bool) ? [] : [.. completions.Select(word => word.Label)];
        var choice = words.Any(word => !Says(text, word)) ? $" One of {string.Join(", ", words.Select(word => $"`{word}`"))}." : "";
        var otherwise = usual is not (null or false or Array) && usual.ToString() is { Length: > 0 } word && !text.Contains("unless named", StringComparison.Ordinal) ? $" `{word}` unless given." : "";
        return $"{text}{choice}{otherwise}".Replace("|", "\\|", StringComparison.Ordinal);
    }

    private static bool Says(string text, string word) => text.Contains($" {word}", StringComparison.OrdinalIgnoreCase) || text.StartsWith(word, StringComparison.OrdinalIgnoreCase);
}
