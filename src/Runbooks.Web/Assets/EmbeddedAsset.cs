using System.Collections.Frozen;
using System.Security.Cryptography;

namespace Runbooks.Web.Assets;

/// <param name="Version">Changes with the content, so that browsers may keep it for good.</param>
internal sealed record EmbeddedAsset(string Name, string Type, byte[] Content, string Version)
{
    private static readonly FrozenDictionary<string, EmbeddedAsset> s_all = new EmbeddedAsset[]
    {
        Read("runbooks.css", "text/css; charset=utf-8"),
        Read("live.js", "text/javascript; charset=utf-8"),
    }.ToFrozenDictionary(asset => asset.Name);

    public static EmbeddedAsset? Find(string name) => s_all.GetValueOrDefault(name);

    public static string Url(string name) => $"/assets/{name}?v={s_all[name].Version}";

    private static EmbeddedAsset Read(string name, string type)
    {
        using var stream = typeof(EmbeddedAsset).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"The assembly lacks '{name}'.");
        using var content = new MemoryStream();
        stream.CopyTo(content);
        return new(name, type, content.ToArray(), Convert.ToHexStringLower(SHA256.HashData(content.ToArray()).AsSpan(0, 6)));
    }
}
