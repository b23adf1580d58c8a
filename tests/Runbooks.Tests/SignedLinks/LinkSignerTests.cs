using System.Buffers.Text;
using System.Text;
using System.Text.Json.Nodes;
using CsCheck;
using Microsoft.Extensions.Options;
using Runbooks.SignedLinks;
using TestKit;
using TestKit.People;

namespace Runbooks.Tests.SignedLinks;

public sealed class LinkSignerTests
{
    private static readonly Gen<LinkGrant> s_grants = Gen.Select(
        Gen.String[Gen.Char.AlphaNumeric, 1, 30], Gen.String[Gen.Char.AlphaNumeric, 1, 20], Gen.String[Gen.Char[' ', '\u2fff'], 1, 30], Gen.String[Gen.Char.AlphaNumeric, 1, 64], Gen.Int[0, 2_000_000_000],
        (incident, gate, recipient, plan, seconds) => new LinkGrant(incident, gate, recipient, plan, DateTimeOffset.FromUnixTimeSeconds(seconds)));

    private static LinkSigner Signer(params string[] keys) => new(Options.Create(ApprovalOffice.Keys(keys)));

    [Fact]
    public void Token_ReadsBackAsItWasSigned() => s_grants.Sample(grant =>
    {
        var signer = Signer("k1");
        return signer.TryRead(signer.Sign(grant), out var read) && read == grant;
    });

    [Fact]
    public void AnyFlippedBit_IsRefused() => Gen.Select(s_grants, Gen.Int[0, 100_000]).Sample((grant, at) =>
    {
        var signer = Signer("k1");
        var bytes = Encoding.ASCII.GetBytes(signer.Sign(grant));
        var bit = at % (bytes.Length * 8);
        bytes[bit / 8] ^= (byte)(1 << (bit % 8));
        return !signer.TryRead(Encoding.Latin1.GetString(bytes), out _);
    }, iter: 2_000);

    [Fact]
    public void EveryCutOrAppendedCharacter_IsRefused() => s_grants.Sample(grant =>
    {
        var signer = Signer("k1");
        var token = signer.Sign(grant);
        return !signer.TryRead(token[..^1], out _) && !signer.TryRead(token[1..], out _) && !signer.TryRead(token + "A", out _) && !signer.TryRead($" {token}", out _);
    });

    [Fact]
    public void AnyFieldOfAnotherLink_IsRefused() => Gen.Select(s_grants, s_grants).Where((one, other) => one != other).Sample((one, other) =>
    {
        var signer = Signer("k1");
        var (mine, yours) = (signer.Sign(one).Split('.'), signer.Sign(other).Split('.'));
        var fields = JsonNode.Parse(Base64Url.DecodeFromChars(mine[0]))!.AsObject();
        var others = JsonNode.Parse(Base64Url.DecodeFromChars(yours[0]))!.AsObject();
        foreach (var name in fields.Select(field => field.Key).ToList())
        {
            var changed = fields.DeepClone().AsObject();
            changed[name] = others[name]!.DeepClone();
            var same = JsonNode.DeepEquals(changed, fields);
            var token = $"{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(changed.ToJsonString()))}.{mine[1]}";
            if (!same && signer.TryRead(token, out _))
            {
                return false;
            }
        }

        return !signer.TryRead($"{mine[0]}.{yours[1]}", out _);
    });

    [Fact]
    public void OldKey_VerifiesUntilItIsTakenAway() => s_grants.Sample(grant =>
    {
        var old = Signer("k1").Sign(grant);
        return Signer("k2", "k1").TryRead(old, out var read) && read == grant && !Signer("k2").TryRead(old, out _);
    });

    [Fact]
    public void SameIdWithAnotherSecret_IsRefused()
    {
        var options = ApprovalOffice.Keys("k1");
        options.Keys[0].Secret = Convert.ToBase64String(Enumerable.Repeat((byte)7, 32).ToArray());
        var token = new LinkSigner(Options.Create(options)).Sign(new("i", "g", "r", "h", Some.Time));

        Signer("k1").TryRead(token, out _).ShouldBeFalse();
    }

    [Theory]
    [InlineData("c2hvcnQ=")]
    [InlineData("")]
    [InlineData("not base64 at all, but long enough to look like a key")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==")]
    public void KeyThatIsTooShortOrNoBase64_IsRefusedAtStart(string secret)
    {
        var options = new LinkSigningOptions();
        options.Keys.Add(new LinkSigningKey { Id = "k1", Secret = secret });

        Should.Throw<OptionsValidationException>(() => new LinkSigner(Options.Create(options))).Message.ShouldContain("at least 32 random bytes");
    }

    [Fact]
    public void NoKeyOrOneIdTwice_IsRefusedAtStart()
    {
        Should.Throw<OptionsValidationException>(() => Signer()).Message.ShouldContain("there is no key");
        Should.Throw<OptionsValidationException>(() => Signer("k1", "k1")).Message.ShouldContain("two keys");
    }

    [Fact]
    public void GarbageOfAnyLength_IsRefused() => Gen.String[0, 5_000].Sample(text => !Signer("k1").TryRead(text, out _));
}
