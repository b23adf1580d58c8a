using System.Security.Cryptography;
using System.Text;
using Runbooks.Settings;
using Runbooks.SignedLinks;

namespace Runbooks.Tests.Settings;

public sealed class SecretStrengthTests
{
    [Theory]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "repeats")]
    [InlineData("eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHg=", "repeats")]
    [InlineData("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "follow one another")]
    [InlineData("Y2hhbmdlbWVjaGFuZ2VtZWNoYW5nZW1lY2hhbmdlbWU=", "repeats")]
    [InlineData("ZGV2ZWxvcG1lbnQtb25seS1ub3QtYS1zZWNyZXQtYXQtYWxsIQ==", "'development'")]
    [InlineData("passwordpasswordpasswordpasswordpasswordpass", "repeats")]
    [InlineData("Uo3placeholder9fK2mQ7vX1bN5cT8wR4yL6jH0gS3dA", "'placeholder'")]
    public void LinkKeyThatCanBeGuessed_IsRefusedWithItsIdAndTheRemedyAndNotShown(string key, string why)
    {
        var refusal = new LinkKeys().Validate(null, Keys(key)).FailureMessage.ShouldNotBeNull();

        refusal.ShouldStartWith("LinkSigning:Keys, or the file link-key of the data folder: key 'k1' can be guessed: it");
        refusal.ShouldContain(why);
        refusal.ShouldEndWith("Make one with: openssl rand -base64 32");
        refusal.ShouldNotContain(key);
    }

    [Fact]
    public void RandomLinkKey_IsTaken()
    {
        foreach (var seed in Enumerable.Range(0, 200))
        {
            new LinkKeys().Validate(null, Keys(Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes($"{seed}"))))).Succeeded.ShouldBeTrue($"{seed}");
        }
    }

    private static LinkSigningOptions Keys(string secret) => new() { Keys = { new() { Id = "k1", Secret = secret } } };
}
