namespace Runbooks.Web.Http;

/// <summary>Who may use the API of a host that checks keys itself.</summary>
public sealed class ApiKeyOptions
{
    public const string SectionName = "ApiKeys";

    /// <summary>Any of these opens the API; with none, nothing does.</summary>
    public IList<string> Keys { get; } = [];

    /// <summary>The console opens without a key for a browser on this very machine: practice.</summary>
    public bool OpenPagesOnLoopback { get; set; }
}
