using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Options;

namespace RunbookServer.Terminal;

/// <summary>Turns what went wrong into a sentence for a person. Nobody is shown a stack trace.</summary>
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
        StoreUnavailableException { InnerException: SqliteException damaged } => new(OfDatabase(damaged, "the database in the data folder")),

        // Contacts are read before all settings are looked at, and ask those of their channels.
        OptionsValidationException invalid => new(string.Join("\n", invalid.Failures)),
        InvalidDataException unreadable => new(Innermost(unreadable)),
        StoreUnavailableException unavailable => new(unavailable.Message),
        _ => new($"{Innermost(failure)} This is a fault of the program.{Kept(failure)}"),
    };

    public static string OfDatabase(SqliteException failure, string file) => failure.SqliteErrorCode switch
    {
        SqliteCorrupt or SqliteNotADatabase => $"{Capital(file)} is damaged or is no database of ours. Move it away with its -wal and -shm, then put a backup in its place (docs/operations.md) or begin with an empty one.",
        SqliteFull => $"The disk with {file} is full. Free some space, or name another data folder with --data.",
        SqliteReadOnly => $"{Capital(file)} cannot be written. Give its owner the right to (chmod u+w), or name another data folder with --data.",
        SqliteCantOpen or SqliteIoError => $"{Capital(file)} cannot be opened or read. Look at its owner, rights and disk, or name another data folder with --data.",
        _ => $"{Capital(file)} cannot be used: {Sentence(failure.Message)}",
    };

    /// <summary>What lies at the bottom of it, as a sentence.</summary>
    public static string Innermost(Exception failure)
    {
        // What lies below a refused access says no longer to what.
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

    private static string Capital(string text) => text.Length == 0 || text[0] == '/' ? text : char.ToUpper(text[0], CultureInfo.InvariantCulture) + text[1..];

    /// <summary>Where it happened is for whoever mends it.</summary>
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

/// <summary>A command ends here. The message is for a person: what, where and the remedy.</summary>
internal sealed class CommandException(string message, int exitCode = ExitCode.Usage) : Exception(message)
{
    public int ExitCode { get; } = exitCode;
}

/// <summary>What the command line says to a script.</summary>
internal static class ExitCode
{
    public const int Done = 0;

    /// <summary>The command ran and the answer is no: a runbook is invalid, a test failed, somebody else decided first.</summary>
    public const int Failed = 1;

    /// <summary>The command could not begin: unknown option, port taken, data folder unusable.</summary>
    public const int Usage = 2;

    /// <summary>The running host could not be reached, refused the key or has a fault of its own, or what answers is none. Whether anything was done is not known.</summary>
    public const int Unreachable = 3;

    /// <summary>As a shell names what Ctrl+C ended.</summary>
    public const int Interrupted = 130;
}
