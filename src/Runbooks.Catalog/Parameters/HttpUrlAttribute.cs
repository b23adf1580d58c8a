namespace Runbooks.Catalog.Parameters;

/// <summary>An absolute http or https address without user name or password in it.</summary>
public sealed class HttpUrlAttribute : ParameterRuleAttribute
{
    public override string Words => "an http or https address without a user name in it, such as https://host/path";

    protected override bool Accepts(string value) =>
        value.Length <= 2048
        && !value.Any(character => char.IsControl(character) || char.IsWhiteSpace(character))
        && Uri.TryCreate(value, UriKind.Absolute, out var address)
        && (address.Scheme == Uri.UriSchemeHttps || address.Scheme == Uri.UriSchemeHttp)
        && address.Host.Length > 0
        && address.UserInfo.Length == 0;
}
