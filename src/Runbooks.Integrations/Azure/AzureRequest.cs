namespace Runbooks.Integrations.Azure;

/// <param name="What">In words, for errors: <c>set the key x</c>.</param>
/// <param name="On">The resource, for errors.</param>
/// <param name="Role">The role that allows it, for errors.</param>
internal sealed record AzureRequest(RequestMethod Method, Uri Uri, string What, string On, string Role)
{
    /// <summary>JSON; null for none.</summary>
    public BinaryData? Body { get; init; }

    public string ContentType { get; init; } = "application/json";

    public string? Accept { get; init; }

    /// <summary>With its quotes, or <c>*</c>.</summary>
    public string? IfMatch { get; init; }

    public string? IfNoneMatch { get; init; }

    /// <summary>Statuses beside 2xx that the caller understands; any other is an exception.</summary>
    public IReadOnlyCollection<int> Understood { get; init; } = [];
}

/// <summary>What Azure answered.</summary>
/// <param name="ETag">With its quotes.</param>
/// <param name="Poll">Where a long-running operation is followed; null when there is none.</param>
/// <param name="RetryAfter">How long to wait before that.</param>
internal sealed record AzureResponse(int Status, string? ETag, BinaryData Body, Uri? Poll, TimeSpan? RetryAfter)
{
    /// <summary>Why the operation that Azure named was not followed to its end; null when it was, or when there was none.</summary>
    public string? NotFollowed { get; init; }

    /// <summary>Azure took the request on, and gave nothing to follow or nothing that this identity may follow: what came of it is not known.</summary>
    public bool IsOnlyAccepted => NotFollowed is not null || (Status == 202 && Poll is null);

    /// <param name="done">What to say when it is done: <c>Restarted it.</c></param>
    /// <param name="what">What was asked for: <c>restart it</c>.</param>
    public string Describe(string done, string what) =>
        IsOnlyAccepted ? $"Azure accepted the request to {what}, and does not tell when that is done. {NotFollowed}".TrimEnd() : done;
}

/// <summary>Azure could not be asked or answered with an error.</summary>
internal sealed class AzureRequestException(string message, int status = 0, Exception? inner = null) : AttemptFailedException(message, inner)
{
    /// <summary>0 when there was no answer.</summary>
    public int Status => status;

    /// <summary>Nobody answered the question, or nobody had time for it: what was asked about may be well.</summary>
    public bool IsSilent { get; init; }
}
