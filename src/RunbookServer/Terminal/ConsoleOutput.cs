using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Options;
using Runbooks.Settings;
using Spectre.Console;

namespace RunbookServer.Terminal;

/// <summary>What the command line prints. Text from outside is escaped: neither markup nor terminal control comes through.</summary>
internal static class ConsoleOutput
{
    private static readonly JsonSerializerOptions s_indented = new() { WriteIndented = true };

    /// <summary>Never wrapped: paths and addresses in it are copied.</summary>
    public static void Error(string message) => Console.Error.WriteLine($"error: {Clean(message)}");

    /// <summary>On standard error, away from what a script reads.</summary>
    public static void Note(string message) => Console.Error.WriteLine($"note: {Clean(message)}");

    public static void Line(string markup = "") => AnsiConsole.MarkupLine(markup);

    /// <summary>Never wrapped and never coloured: for links, and for other programs to read.</summary>
    public static void Raw(string text) => Console.Out.WriteLine(Clean(text));

    /// <summary>A line of a record. Its later lines are marked, so that text from outside cannot look like a line of ours.</summary>
    public static void Record(string line)
    {
        var indent = new string(' ', line.Length - line.TrimStart(' ').Length);
        Raw(line.ReplaceLineEndings($"\n{indent}| "));
    }

    public static void Json(JsonNode? node) => Raw(node?.ToJsonString(s_indented) ?? "");

    public static string Plain(string? text) => Markup.Escape(Clean(text ?? ""));

    public static string Clean(string text) => string.Concat(text.Select(c => char.IsControl(c) && c != '\n' ? ' ' : c));
}

internal static class ThisProgram
{
    private const string Project = "src/RunbookServer";

    /// <summary>A command of its own where it is installed; in the repository it is run by its project.</summary>
    public static string Command => IsBuiltHere ? $"dotnet run --project {Project} --" : "runbook";

    public static string? Sample(string name) =>
        Path.Combine(Project, "Samples", name) is var file && File.Exists(file) ? file : null;

    private static bool IsBuiltHere =>
        AppContext.BaseDirectory.StartsWith(Path.GetFullPath(Project) + Path.DirectorySeparatorChar, StringComparison.Ordinal);
}

/// <summary>Writes a new file. A file that is there is never overwritten.</summary>
internal static class NewFile
{
    /// <param name="other">The end of an error: <c>Name another file with --out.</c></param>
    public static void Write(string file, string text, string other)
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(file))!);
            using var created = new StreamWriter(new FileStream(file, FileMode.CreateNew));
            created.Write(text);
        }
        catch (IOException) when (File.Exists(file))
        {
            throw new CommandException($"{file} is there already and was left as it is. {other}");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new CommandException($"{file} cannot be written: {failure.Message} {other}");
        }
    }
}

internal sealed class TerminalNotifier(IAnsiConsole console, TimeProvider time) : INotifier
{
    public string Channel => "terminal";

    public Task<Receipt> SendAsync(Card card, Address to, CancellationToken cancellationToken)
    {
        var colour = card.Kind is CardKind.Page ? "red" : card.Asks ? "yellow" : "green";
        var dryRun = card.DryRun ? "[bold](dry run)[/] " : "";
        var (at, recipient, title, id) = (time.GetUtcNow(), Plain(to.Recipient), Plain(card.Title), Plain(card.IncidentId));
        console.MarkupLine($"[grey]{at:HH:mm:ss}[/] [{colour}]→ {recipient}[/] {dryRun}{title} [grey]{id}[/]");
        if (card.Links.Count > 0)
        {
            // Not wrapped: a terminal cannot open a link that is broken over two lines.
            console.Profile.Out.Writer.WriteLine($"         {card.Links[0].Url}");
        }

        return Task.FromResult<Receipt>(null);
    }

    /// <summary>On one line: titles have text from alerts in them.</summary>
    private static string Plain(string text) => ConsoleOutput.Plain(text.Replace('\n', ' '));
}

/// <summary>A sentence for a person about what went wrong. Nobody is shown a stack trace.</summary>
internal static class Failures
{
    private const int SqliteReadOnly = 8;
    private const int SqliteIoError = 10;
    private const int SqliteCorrupt = 11;
    private const int SqliteFull = 13;
    private const int SqliteCantOpen = 14;
    private const int SqliteNotADatabase = 26;

    public static CommandException Describe(Exception failure) => failure switch
    {
        CommandException known => known,
        UnauthorizedAccessException or IOException => new($"{Innermost(failure)} Look at the file's owner and rights, or name another place."),
        SqliteException damaged => new(OfDatabase(damaged, "the database in the data folder")),
        StoreUnavailableException { InnerException: SqliteException damaged } =>
            new(OfDatabase(damaged, "the database in the data folder")),

        // Reading the contacts reads the settings of their channels, before the settings are checked.
        OptionsValidationException invalid => new(string.Join("\n", InvalidSettings.Describe(invalid))),
        InvalidDataException unreadable => new(Innermost(unreadable)),
        StoreUnavailableException unavailable => new(unavailable.Message),
        _ => new($"{Innermost(failure)} This is a fault of the program.{Kept(failure)}"),
    };

    public static string OfDatabase(SqliteException failure, string file) => failure.SqliteErrorCode switch
    {
        SqliteCorrupt or SqliteNotADatabase => $"{Capital(file)} is damaged or is no database of ours. "
            + "Move it away with its -wal and -shm, then put a backup in its place (docs/operations.md) or begin with an empty one.",
        SqliteFull => $"The disk with {file} is full. Free some space, or name another data folder with --data.",
        SqliteReadOnly => $"{Capital(file)} cannot be written. "
            + "Give its owner the right to write it, its -wal and its -shm (chmod u+w), or name another data folder with --data.",
        SqliteCantOpen or SqliteIoError => $"{Capital(file)} cannot be opened or read. "
            + "Look at its owner, rights and disk, or name another data folder with --data.",
        _ => $"{Capital(file)} cannot be used: {Sentence(failure.Message)}",
    };

    public static string Innermost(Exception failure)
    {
        // The inner exception of a refused access no longer names the file.
        while (failure is not UnauthorizedAccessException && failure.InnerException is { } inner)
        {
            failure = inner;
        }

        return failure is JsonException { LineNumber: { } line } broken
            ? $"Line {line + 1} is not JSON: {Sentence(broken.Message.Split(" LineNumber:")[0])}"
            : Sentence(Redactor.Redact(failure.Message));
    }

    private static string Sentence(string text)
    {
        var line = string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        return line.Length > 0 && line[^1] is '.' or '!' or '?' ? line : $"{line}.";
    }

    private static string Capital(string text) =>
        text.Length == 0 || text[0] == '/' ? text : char.ToUpper(text[0], CultureInfo.InvariantCulture) + text[1..];

    /// <summary>The stack trace goes to a file, for the developers.</summary>
    private static string Kept(Exception failure)
    {
        try
        {
            var file = Path.Combine(Path.GetTempPath(), $"runbook-failure-{Guid.NewGuid():N}.txt");
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
            {
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            }

            using var writer = new StreamWriter(file, options);
            writer.Write(Redactor.Redact(failure.ToString()));
            return $" Where it happened is in {file}; send it with your report.";
        }
        catch (Exception full) when (full is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}

internal sealed class CommandException(string message, int exitCode = ExitCode.Usage) : Exception(message)
{
    public int ExitCode { get; } = exitCode;
}

internal static class ExitCode
{
    public const int Done = 0;

    /// <summary>The command ran and the answer is no: a runbook is invalid, a test failed, somebody else decided first.</summary>
    public const int Failed = 1;

    /// <summary>The command could not begin: unknown option, port taken, data folder unusable.</summary>
    public const int Usage = 2;

    /// <summary>
    /// The running host could not be reached, refused the key or has a fault of its own, or another program answers. Whether anything
    /// was done is not known.
    /// </summary>
    public const int Unreachable = 3;

    /// <summary>As a shell reports Ctrl+C.</summary>
    public const int Interrupted = 130;
}
