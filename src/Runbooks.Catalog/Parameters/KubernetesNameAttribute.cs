using System.Buffers;

namespace Runbooks.Catalog.Parameters;

/// <summary>A name of a Kubernetes object: an RFC 1123 label, or a subdomain where the kind allows dots (pods, nodes).</summary>
public sealed class KubernetesNameAttribute : ParameterRuleAttribute
{
    private static readonly SearchValues<char> s_allowed = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-");

    /// <summary>Labels joined by dots, up to 253 characters, instead of one label of up to 63.</summary>
    public bool Subdomain { get; init; }

    public override string Words => Subdomain
        ? "a Kubernetes name: at most 253 lower-case letters, digits, dashes and dots, beginning and ending with a letter or digit"
        : "a Kubernetes name: at most 63 lower-case letters, digits and dashes, beginning and ending with a letter or digit";

    protected override bool Accepts(string value) =>
        Subdomain ? value.Length <= 253 && value.Split('.').All(IsLabel) : IsLabel(value) && value.Length <= 63;

    private static bool IsLabel(string value) =>
        value.Length > 0 && value[0] != '-' && value[^1] != '-' && !value.AsSpan().ContainsAnyExcept(s_allowed);
}
