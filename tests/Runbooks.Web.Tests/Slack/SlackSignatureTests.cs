using System.Text;
using CsCheck;
using Runbooks.Web.Slack;

namespace Runbooks.Web.Tests.Slack;

/// <summary>The example of Slack's own documentation on verifying requests.</summary>
public sealed class SlackSignatureTests
{
    private const string Secret = "8f742231b10e8888abcd99yyyzzz85a5";
    private const string Timestamp = "1531420618";
    private const string Signature = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";

    private const string Body =
        "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner"
        + "&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
        + "&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";

    private static readonly DateTimeOffset s_then = DateTimeOffset.FromUnixTimeSeconds(1531420618);

    [Fact]
    public void DocumentedExample_Fits() => Fits(Encoding.UTF8.GetBytes(Body)).ShouldBeTrue();

    [Fact]
    public void EveryAlteredByteOfTheBody_IsRefused()
    {
        for (var at = 0; at < Body.Length; at++)
        {
            var bytes = Encoding.UTF8.GetBytes(Body);
            bytes[at] ^= 1;
            Fits(bytes).ShouldBeFalse($"byte {at}");
        }
    }

    [Fact]
    public void EveryAlteredCharacterOfTheSignature_IsRefused() => Gen.Select(Gen.Int[0, Signature.Length - 1], Gen.Char).Sample((at, letter) =>
    {
        var altered = string.Concat(Signature.AsSpan(0, at), letter.ToString(), Signature.AsSpan(at + 1));
        return altered == Signature || !SlackSignature.Fits(Secret, Timestamp, Encoding.UTF8.GetBytes(Body), altered, s_then);
    });

    [Theory]
    [InlineData(-301, false)]
    [InlineData(-300, true)]
    [InlineData(300, true)]
    [InlineData(301, false)]
    public void Timestamp_CountsForFiveMinutes(int seconds, bool fits) =>
        SlackSignature.Fits(Secret, Timestamp, Encoding.UTF8.GetBytes(Body), Signature, s_then.AddSeconds(seconds)).ShouldBe(fits);

    [Theory]
    [InlineData(null, Timestamp, Signature)]
    [InlineData("", Timestamp, Signature)]
    [InlineData(Secret, "", Signature)]
    [InlineData(Secret, "-1531420618", Signature)]
    [InlineData(Secret, "99999999999999999999", Signature)]
    [InlineData(Secret, Timestamp, "")]
    [InlineData(Secret, Timestamp, "v0=")]
    [InlineData(Secret, Timestamp, "a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503")]
    public void AnythingMissing_IsRefused(string? secret, string timestamp, string signature) =>
        SlackSignature.Fits(secret, timestamp, Encoding.UTF8.GetBytes(Body), signature, s_then).ShouldBeFalse();

    private static bool Fits(byte[] body) => SlackSignature.Fits(Secret, Timestamp, body, Signature, s_then);
}
