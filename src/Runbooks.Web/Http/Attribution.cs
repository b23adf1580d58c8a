namespace Runbooks.Web.Http;

/// <summary>Who asks for something and why. Both have to be said, in a body of the API or in a form of our own pages.</summary>
internal sealed record Attribution(string By, string Reason)
{
    public const int LongestReason = 1_000;

    /// <summary>More was written than <see cref="Reason"/> holds.</summary>
    public bool IsCut { get; init; }

    /// <summary>The time of the stop that a release of the kill switch is about; null where the body names none.</summary>
    public string? Stop { get; init; }

    /// <summary>Everything that stood in the form.</summary>
    public IFormCollection Fields { get; init; } = FormCollection.Empty;

    /// <param name="does">Completes "Say who … and why."</param>
    /// <param name="reason">A reason for the example that the answer shows.</param>
    /// <param name="reasonNeeded">False: what is said is a note, and may be left out.</param>
    public static async Task<(Attribution? Body, IResult? Refusal)> ReadJsonAsync(HttpRequest request, string does, string reason, CancellationToken cancellationToken, bool reasonNeeded = true)
    {
        var example = $$"""{"by":"ada","{{(reasonNeeded ? "reason" : "note")}}":"{{reason}}"}""";
        var (body, refusal) = await RequestBody.ReadJsonAsync<Unchecked>(request, example, cancellationToken);
        if (body is null)
        {
            return (null, refusal);
        }

        var missing = string.IsNullOrWhiteSpace(body.By) ? "$.by" : "$.reason";
        return Of(body.By, reasonNeeded ? body.Reason : body.Note, reasonNeeded) is { } attribution
            ? (attribution with { Stop = body.Stop }, null)
            : (null, ApiResults.Problem(StatusCodes.Status400BadRequest, $"Say who {does}{(reasonNeeded ? " and why" : "")}.", new AlertError(missing, "missing", $"Send for example {example}")));
    }

    /// <summary>Where somebody is signed in, the name that was typed does not count.</summary>
    /// <param name="notDone">The title of the page that says why nothing was done.</param>
    /// <param name="reasonNeeded">False: the reason may be empty.</param>
    public static async Task<(Attribution? Form, IResult? Refusal)> ReadFormAsync(
        HttpRequest request, string notDone, CancellationToken cancellationToken, bool reasonNeeded = true)
    {
        if (!SameOrigin.Allows(request))
        {
            return (null, MessageResult.FromAnotherSite(notDone));
        }

        var form = await FormFields.ReadAsync(request, cancellationToken);
        return Of(Actor.Of(request)?.Person?.Name ?? form?["by"], form?["reason"], reasonNeeded) is { } attribution
            ? (attribution with { Fields = form ?? FormCollection.Empty }, null)
            : (null, MessageResult.Of(StatusCodes.Status400BadRequest, notDone, reasonNeeded
                ? "Say who does this and why: go back and fill in both fields."
                : "Say who does this: go back and fill in your name.", home: true));
    }

    private static Attribution? Of(string? by, string? reason, bool reasonNeeded = true)
    {
        var why = Redactor.Redact((reason ?? "").Trim());
        return string.IsNullOrWhiteSpace(by) || (reasonNeeded && why.Length == 0) ? null
            : new(TypedText.Name(by), Clip.To(why, LongestReason)) { IsCut = why.Length > LongestReason };
    }

    private sealed record Unchecked(string? By, string? Reason, string? Note, string? Stop);
}
