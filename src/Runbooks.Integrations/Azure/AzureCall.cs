using Azure.Core;

namespace Runbooks.Integrations.Azure;

/// <summary>One request to Azure.</summary>
/// <param name="What">In words, for errors: <c>set the key x</c>.</param>
/// <param name="On">The resource, for errors.</param>
/// <param name="Role">The role that allows it, for errors.</param>
internal sealed record AzureCall(RequestMethod Method, Uri Uri, string What, string On, string Role)
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
internal sealed record AzureAnswer(int Status, string? ETag, BinaryData Body, Uri? Poll, TimeSpan? RetryAfter);
