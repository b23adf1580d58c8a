namespace Runbooks.Model.Definition;

/// <summary>The texts come from the publisher.</summary>
/// <param name="Number">Counts up with each publication to one place.</param>
/// <param name="Set">SHA-256 over the set's files, lower-case hex.</param>
/// <param name="By">The person who published, or the job that did it for them.</param>
public sealed record Publication(int Number, string Set, DateTimeOffset At, string By)
{
    /// <summary>Longer texts are cut, since they appear on cards.</summary>
    public const int LongestText = 120;

    /// <summary>Where the files are kept, such as <c>contoso/runbooks</c>. Null if not given.</summary>
    public string? Repository { get; init; }

    /// <summary>Null if not given.</summary>
    public string? Commit { get; init; }

    /// <summary>The author of that commit.</summary>
    public string? Author { get; init; }

    /// <summary>Always set when it rolls back.</summary>
    public string? Reason { get; init; }

    /// <summary>The publication that it went back to. Null for any other.</summary>
    public int? RollsBackTo { get; init; }

    /// <summary>Enough of the hash to tell two sets apart.</summary>
    [JsonIgnore]
    public string Version => Set.Length > 12 ? Set[..12] : Set;

    /// <summary>For example <c>contoso/runbooks at 1a2b3c4 by Ada</c>. Null if nothing of it was given.</summary>
    [JsonIgnore]
    public string? Source => (Repository, Commit, Author) is (null, null, null) ? null
        : $"{(Commit is null ? Repository ?? "files" : Repository is null ? $"commit {ShortCommit}" : $"{Repository} at {ShortCommit}")}{(Author is null ? "" : $" by {Author}")}";

    /// <summary>For example <c>publication 7 (3f2a91c04d11, contoso/runbooks at 1a2b3c4 by Ada)</c>.</summary>
    [JsonIgnore]
    public string Name => $"publication {Number} ({Version}{(Source is { } source ? $", {source}" : "")})";

    private string ShortCommit =>
        Commit!.Length >= 40 && Commit.Take(40).All(char.IsAsciiHexDigitLower) ? Commit[..7] + Commit[40..] : Commit;

    /// <summary>The source, and how long before <paramref name="then"/>: <c>…, published by GitHub Actions 12m before</c>.</summary>
    public string Describe(DateTimeOffset then, string before) => $"{Source ?? $"publication {Number}"}, {Published(then, before)}";

    /// <summary>For example <c>published by GitHub Actions 12m before, going back to publication 5</c>.</summary>
    public string Published(DateTimeOffset then, string before)
    {
        var since = then - At;
        var when = since < TimeSpan.Zero || since > TimeSpan.FromDays(2)
            ? At.ToUniversalTime().ToString("'on' yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture)
            : since < TimeSpan.FromMinutes(1) ? $"less than a minute {before}"
            : $"{DurationText.Format(TimeSpan.FromMinutes(Math.Floor(since.TotalMinutes)))} {before}";
        return $"published by {By} {when}{(RollsBackTo is { } earlier ? $", going back to publication {earlier}" : "")}";
    }

    /// <summary>Each text on one line, cut to length, without anything that looks like a secret.</summary>
    public Publication Cleaned() => this with
    {
        Set = Clean(Set) ?? "",
        By = Clean(By) ?? "?",
        Repository = Clean(Repository),
        Commit = Clean(Commit),
        Author = Clean(Author),
        Reason = Clean(Reason),
    };

    private static string? Clean(string? text) =>
        text is null
        || CleanText.Clean(Redactor.Redact(text), LongestText, oneLine: true).Trim() is not { Length: > 0 } clean
            ? null
            : clean;
}
